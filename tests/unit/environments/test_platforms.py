"""ngp.yaml and environment.yaml: found, read, and all that is wrong told at once with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from ngp import yaml
from ngp.environments import documents, platforms, tfvars
from ngp.environments.environment import Approval, AssumedRole, StateKind, StateMode, Target
from ngp.errors import UsageError


def test_the_platform_is_found_from_a_folder_in_it(house):
    inner = house.path / "environments" / "dev"
    assert platforms.find(inner) == house.path


def test_the_search_ends_at_the_root_of_the_git_repository(house):
    repository = house.path / "other"
    (repository / ".git").mkdir(parents=True)
    with pytest.raises(UsageError) as caught:
        platforms.find(repository)
    assert "ngp init" in caught.value.findings[0].todo


def test_above_a_platform_its_folder_is_named(tmp_path):
    for folder in (".git", "infra/my shop", ".hidden"):
        (tmp_path / folder).mkdir(parents=True)
    for folder, todo in (
        (".hidden", "change to the folder of a platform, or create one: ngp init my-platform"),
        ("infra/my shop", "cd 'infra/my shop'"),
        ("infra", "change to the folder of a platform: infra, infra/my shop"),
    ):
        (tmp_path / folder / "ngp.yaml").touch()
        with pytest.raises(UsageError) as caught:
            platforms.find(tmp_path)
        assert caught.value.findings[0].todo == todo


def test_a_platform_says_all_of_its_keys(house):
    (house.path / "ngp.yaml").write_text(
        "name: acme\nterraform: bundled\nterraform_version: '>= 1.12'\nstate: local\n"
        "state_bucket: acme-states\nprotected: [dev]\nrendered_by: 0.0.1\n"
    )
    found = house.platform
    assert (found.name, found.terraform, found.terraform_version) == ("acme", "bundled", ">= 1.12")
    assert (found.state, found.state_bucket) == (StateKind.LOCAL, "acme-states")
    assert (found.protected, found.rendered_by) == (("dev",), "0.0.1")


def test_all_that_is_wrong_in_ngp_yaml_is_told_at_once(house):
    (house.path / "ngp.yaml").write_text("nam: acme\nstate: s4\nprotected: prod\nstate_bucket: A_B\n")
    with pytest.raises(UsageError) as caught:
        platforms.load(house.path)
    found = [f"{finding} [{finding.todo}]" for finding in caught.value.findings]
    assert len(found) == 5
    for said in (
        "ngp.yaml: `name` is missing",
        "ngp.yaml:1: unknown key `nam` [did you mean `name`?",
        "ngp.yaml:2: `state` is invalid: 's4'; it must be 's3' or 'local'",
        "ngp.yaml:3: `protected` is invalid",
        "ngp.yaml:4: `state_bucket` is invalid: 'A_B'; it must be the name of an S3 bucket",
    ):
        assert any(said in each for each in found), found


def test_an_environment_says_all_of_its_keys(house):
    house.environment(
        'target: aws\naccount: "012345678901"\nregion: us-gov-west-1\ndomain: a.example.com\nprofile: me\n'
        "assume_role: {arn: 'arn:aws:iam::012345678901:role/ngp', external_id: x}\nstate: single\n"
        "units: {alb-shop: {module: alb}}\nwiring: {alb-shop: {vpc_id: network.vpc_id}}\n"
    )
    found = documents.load(house.platform, "dev")
    assert (found.target, found.account, found.region) == (Target.AWS, "012345678901", "us-gov-west-1")
    assert found.assume_role == AssumedRole("arn:aws:iam::012345678901:role/ngp", "x", "ngp")
    assert (found.state, found.profile) == (StateMode.SINGLE, "me")
    assert found.units["alb-shop"].module == "alb"
    assert str(found.wiring["alb-shop"]["vpc_id"]) == "network.vpc_id"
    assert found.where("wiring.alb-shop.vpc_id").endswith("environment.yaml:9")
    assert found.where("profile.x").endswith("environment.yaml:5")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            '"123456789012"',
            "123456789012",
            "environment.yaml:3: `account` is invalid: 123456789012; it must be a text: quote it",
        ),
        ('"123456789012"', '"1234"', "it must be the 12 digits of an account"),
        ("eu-central-1", "frankfurt", "it must be a region such as `eu-central-1`"),
        ("dev.example.com", "Dev.Example.com", "it must be a domain name"),
        ("target: sandbox", "target: azure", "it must be 'aws' or 'sandbox'"),
        ("region:", "regoin:", "unknown key `regoin` [did you mean `region`?"),
        ("network: {}", "network: {modul: x}", "unknown key `units.network.modul` [did you mean `module`?"),
        ("network: {}", "Net_work: {}", "`Net_work` cannot be a name; it must be lower-case letters"),
        ("network: {}", "network: 3", "it must be a mapping"),
        ("network.vpc_id", "network", "it must be an output of a unit, such as `network.vpc_id`"),
        ("target:", "state: both\ntarget:", "it must be 'per-module' or 'single'"),
        ("target:", "assume_role: {arn: x}\ntarget:", "it must be the ARN of a role"),
        ("target:", "assume_role: {an: x}\ntarget:", "unknown key `assume_role.an` [did you mean `arn`?"),
        ("target:", "assume_role: {}\ntarget:", "`assume_role.arn` is missing; ARN of the role that provider and"),
    ],
)
def test_what_is_wrong_in_environment_yaml_is_told(house, old, new, said):
    house.environment(house.read("environment.yaml").replace(old, new, 1))
    with pytest.raises(UsageError) as caught:
        documents.load(house.platform, "dev")
    found = [f"{finding} [{finding.todo}]" for finding in caught.value.findings]
    assert any(said in each for each in found), found


def test_a_document_that_is_no_mapping_is_refused(house):
    house.environment("- a\n- b\n")
    with pytest.raises(UsageError, match="must be a mapping"):
        documents.load(house.platform, "dev")


def test_environments_are_listed_sorted_and_only_whole_ones(house):
    house.environment(name="ab")
    (house.path / "environments" / "rest").mkdir()
    assert documents.names(house.platform) == ["ab", "dev"]


def test_a_hidden_folder_is_no_environment(house):
    house.environment(name=".old")
    assert documents.names(house.platform) == ["dev"]
    with pytest.raises(UsageError, match="the environment `.old` does not exist"):
        documents.load(house.platform, ".old")


def test_the_published_schemas_know_the_keys_that_are_read():
    assert {"target", "account", "region", "domain", "units", "wiring"} <= documents.schema()["properties"].keys()
    assert documents.schema()["additionalProperties"] is False
    assert "name" in platforms.schema()["required"]


def test_the_platform_of_this_repository_reads():
    found = yaml.load(Path(__file__).parents[3] / "ngp.yaml")
    assert platforms.load(found.path.parent).name == "ngp"


def test_a_constraint_that_terraform_could_not_read_is_told_with_its_line(house):
    (house.path / "ngp.yaml").write_text("name: acme\nterraform_version: banana\n")
    with pytest.raises(UsageError, match="ngp.yaml:2: cannot read the version constraint `banana`"):
        platforms.load(house.path)


@pytest.mark.parametrize(
    ("units", "said"),
    [
        ("units:\n  network:\n", "environment.yaml:7: `units.network` is invalid: it is empty; it must be a mapping"),
        ("units: []\n", "`units` is invalid: []; it must be a mapping"),
        ("profile: {}\n", "`profile` is invalid: {}; it must be a text"),
    ],
)
def test_a_wrong_kind_of_value_is_told_in_words(house, units, said):
    house.environment(house.read("environment.yaml").partition("units:")[0] + units, name="odd")
    with pytest.raises(UsageError) as caught:
        documents.load(house.platform, "odd")
    assert said in str(caught.value)


def test_a_single_fact_is_checked_as_in_the_file():
    assert documents.check_fact("account", "123") == ['it must be the 12 digits of an account, quoted: "012345678901"']
    assert documents.check_fact("region", "") == ["it must be a region such as `eu-central-1`"]
    assert documents.check_fact("domain", "dev.example.com") == []


def test_what_is_kept_of_the_files_says_the_same(house):
    house.environment(
        'target: aws\naccount: "012345678901"\nregion: us-gov-west-1\ndomain: a.example.com\nprofile: me\n'
        "assume_role: {arn: 'arn:aws:iam::012345678901:role/ngp', external_id: x}\nstate: single\n"
        "units: {alb-shop: {module: alb}}\nwiring: {alb-shop: {vpc_id: network.vpc_id}}\n",
        'pre_tag = "a"\ntags = { decimal = "1.5", more = 1.50 }\nalb-shop = {\n  n = 1e400\n'
        "  none = null\n}\nodd = [1, true]\n",
    )
    path = house.path / "environments" / "dev" / tfvars.FILE

    def load():
        platform = platforms.load(house.path)
        return platform, documents.load(platform, "dev"), tfvars.load(path, platform.cache)

    first = load()
    assert load() == first
    assert first[2] == tfvars.parse(path.read_text(), path)
    assert first[1].where("wiring.alb-shop.vpc_id").endswith("environment.yaml:9")


def test_a_changed_file_is_read_anew_and_a_broken_one_refused(house):
    path = house.path / "environments" / "dev" / documents.FILE
    before = documents.load(house.platform, "dev")
    path.write_text(path.read_text().replace("eu-central-1", "eu-west-1"))
    assert documents.load(house.platform, "dev").region == "eu-west-1" != before.region
    path.write_text(path.read_text().replace("eu-west-1", "europe"))
    for _ in range(2):
        with pytest.raises(UsageError, match="`region` is invalid"):
            documents.load(house.platform, "dev")


KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKX5lA9tuToPyWB582Uql8/0eJe2UxdRZ1CAF40ywoFD anna"
OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKX5lA9tuToPyWB582Uql8/0eJe2UxdRZ1CAF40ywoFE ben"
RULES = f"""name: acme
protected: [dev]
signers:
  anna@example.com:
    - "{KEY}"
  ben@example.com: ["{OTHER}"]
approvals:
  dev:
    by: [anna@example.com, ben@example.com]
    count: 2
emergency:
  dev: [anna@example.com]
"""


def test_who_may_approve_is_read(house):
    (house.path / "ngp.yaml").write_text(RULES)
    for _ in range(2):  # the second time from what is kept
        found = house.platform
        assert found.signers == {"anna@example.com": (KEY,), "ben@example.com": (OTHER,)}
        assert found.approvals == {"dev": Approval(("anna@example.com", "ben@example.com"), 2)}
        assert found.emergency == {"dev": ("anna@example.com",)}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("count: 2", "count: 3", "ngp.yaml:10: `dev` needs 3 approvals, and only 2 may approve"),
        ("[anna@example.com, ben@example.com]", "[anna@example.com, Anna@example.com]", "only 1 may approve"),
        ("count: 2", "count: 0", "ngp.yaml:10: `approvals.dev.count` is invalid: 0"),
        ("count: 2", "number: 2", "ngp.yaml:10: unknown key `approvals.dev.number`"),
        ("by: [anna@example.com, ben@example.com]", "by: []", "ngp.yaml:9: `approvals.dev.by` is invalid"),
        ("anna@example.com, ben", "anna@example.com, carl", "ngp.yaml:9: `carl@example.com` has no key"),
        ("anna@example.com, ben@example.com", "anna, ben@example.com", "it must be an e-mail address"),
        ("  dev: [anna", "  dev: [carl", "ngp.yaml:12: `carl@example.com` has no key"),
        ("approvals:\n  dev", "approvals:\n  dav", "ngp.yaml:8: `approvals.dav` has no effect"),
        ("emergency:\n  dev", "emergency:\n  dav", "ngp.yaml:12: `emergency.dav` has no effect"),
        (KEY, KEY.replace("AAAAI", "AAAAJ"), "ngp.yaml:5: a key of `anna@example.com` is invalid"),
        (KEY, "ssh-ed25519 AAAA", "the text after `ssh-ed25519` is not a whole key"),
        (
            KEY,
            KEY.replace("ssh-ed25519", "ssh-rsa", 1),
            "it begins with `ssh-rsa`, but contains a key of the type `ssh-ed25519`",
        ),
        (KEY, KEY.replace("ssh-ed25519", "ssh-dss", 1), "`ssh-dss` is not a supported kind of key"),
        (KEY, "hello", "a public key is one line"),
        (OTHER, KEY, "ngp.yaml:6: `ben@example.com` has the same key as `anna@example.com`"),
        ("anna@example.com:", "'*@example.com':", "`*@example.com` cannot be a name; it must be an e-mail address"),
    ],
)
def test_what_is_wrong_with_the_rules_of_approval_is_told_at_its_line(house, old, new, said):
    (house.path / "ngp.yaml").write_text(RULES.replace(old, new, 1))
    with pytest.raises(UsageError) as caught:
        platforms.load(house.path)
    found = [str(finding) for finding in caught.value.findings]
    assert any(said in each for each in found), found
