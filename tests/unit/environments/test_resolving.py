"""Resolving an environment: where each input's value comes from, and all that is wrong at once."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ngp.catalogue import loading
from ngp.environments import documents, resolving
from ngp.environments.binding import ValueSource
from ngp.errors import UsageError


def _findings(house, name="dev"):
    before = house.tree()
    with pytest.raises(UsageError) as caught:
        house.resolve(name)
    assert house.tree() == before
    return [f"{finding} [{finding.todo}]" for finding in caught.value.findings]


def _only(house):
    found = _findings(house)
    assert len(found) == 1, found
    return found[0]


def test_every_input_is_bound_from_its_source(house):
    resolved = house.resolve()
    inputs = resolved.bindings["openvpn"].inputs
    assert {name: each.source for name, each in inputs.items()} == {
        "environment": ValueSource.FACT,
        "region": ValueSource.FACT,
        "pre_tag": ValueSource.COMMON,
        "post_tag": ValueSource.COMMON,
        "vpc_id": ValueSource.WIRE,
        "admin_cidrs": ValueSource.UNIT,
        "instance_type": ValueSource.DEFAULT,
        "disk_gib": ValueSource.DEFAULT,
        "peer": ValueSource.DEFAULT,
    }
    assert inputs["environment"].value == "dev"
    assert inputs["admin_cidrs"].value == ["10.0.0.0/8"]
    assert str(inputs["vpc_id"].wire) == "network.vpc_id"
    assert resolved.edges == {"network": (), "openvpn": ("network",)}


def test_a_units_own_value_beats_the_common_one(house):
    values = house.read("terraform.tfvars").replace("openvpn = {", 'openvpn = {\n  pre_tag = "mine"')
    house.environment(values=values)
    resolved = house.resolve()
    assert resolved.bindings["openvpn"].inputs["pre_tag"].value == "mine"
    assert resolved.bindings["network"].inputs["pre_tag"].value == "demo"


def test_a_common_value_beats_the_wire_and_takes_its_edge_away(house):
    house.environment(values='vpc_id = "vpc-1"\n' + house.read("terraform.tfvars"))
    resolved = house.resolve()
    assert resolved.bindings["openvpn"].inputs["vpc_id"].source is ValueSource.COMMON
    assert resolved.edges["openvpn"] == ()


def test_generated_secrets_and_the_units_name_are_bound_without_a_word(house):
    house.environment(
        house.read("environment.yaml").replace("  network: {}", "  network: {}\n  rows: {module: database}")
    )
    inputs = house.resolve().bindings["rows"].inputs
    assert inputs["master_password"].source is ValueSource.GENERATED
    assert inputs["unit"].value == "rows"


def test_a_reference_is_bound_to_an_ephemeral_input(house):
    house.environment(
        house.read("environment.yaml").replace("  network: {}", "  network: {}\n  database: {}"),
        house.read("terraform.tfvars") + 'database = { api_token = "awssm:backup#token" }\n',
    )
    found = house.resolve().bindings["database"].inputs["api_token"]
    assert (found.source, found.value) == (ValueSource.SECRET, "awssm:backup#token")


def test_a_reference_that_nothing_resolves_is_refused_at_its_line(house):
    house.environment(
        house.read("environment.yaml").replace("  network: {}", "  network: {}\n  database: {}"),
        house.read("terraform.tfvars") + 'database = { api_token = "vault:kv/backup#token" }\n',
    )
    found = _only(house)
    assert "terraform.tfvars:8: database.api_token: ngp cannot read `vault:kv/backup#token`" in found
    assert "use ssm:NAME, awssm:NAME" in found


def test_a_common_input_without_a_value_is_to_be_written_at_the_top(house):
    house.environment(values=house.read("terraform.tfvars").replace('post_tag = "dev"', ""))
    with pytest.raises(UsageError) as caught:
        house.resolve()
    assert {each.todo for each in caught.value.findings} == {
        f"write it at the top level of {house.path}/environments/dev/terraform.tfvars: post_tag = …"
    }


@pytest.mark.parametrize("reference", ["vault:kv/a#b", "ssm:/a/b", "awssm:name#key", "env:TOKEN"])
def test_a_reference_is_refused_for_an_ordinary_input(house, reference):
    text = house.read("terraform.tfvars").replace("openvpn = {", f'openvpn = {{\n  instance_type = "{reference}"')
    house.environment(values=text)
    found = _only(house)
    assert "terraform.tfvars:6: openvpn.instance_type: the secret reference" in found
    assert reference in found


def test_a_reference_deep_in_a_value_is_refused_too(house):
    house.environment(values=house.read("terraform.tfvars").replace('["10.0.0.0/8"]', '["10.0.0.0/8", "env:HOME"]'))
    assert "`env:HOME`" in _only(house)


def test_a_secret_itself_is_refused_for_an_ephemeral_input(house):
    house.environment(
        house.read("environment.yaml").replace("  network: {}", "  network: {}\n  database: {}"),
        house.read("terraform.tfvars") + 'database = { api_token = "s3cret" }\n',
    )
    found = _only(house)
    assert "write a reference to a secret" in found
    assert "s3cret" not in found


SENSITIVE = """
variable "password" {
  description = "Password of the users"
  type        = string
  sensitive   = true
}
"""


def give_password(house, value, target="aws"):
    module = house.path / "modules/openvpn/openvpn-variables.tf"
    module.write_text(module.read_text() + SENSITIVE)
    text = house.read("terraform.tfvars").replace("openvpn = {", f"openvpn = {{\n  password = {value}")
    house.environment(house.read("environment.yaml").replace("target: sandbox", f"target: {target}"), text)


def test_a_reference_is_bound_to_a_sensitive_input(house):
    give_password(house, '"env:PASSWORD"')
    found = house.resolve().bindings["openvpn"].inputs["password"]
    assert (found.source, found.value) == (ValueSource.SECRET, "env:PASSWORD")


def test_a_sensitive_value_in_plain_text_is_refused_for_a_real_account_with_the_line_that_fixes_it(house):
    give_password(house, '"hunter-two"')
    with pytest.raises(UsageError) as caught:
        house.resolve()
    (finding,) = caught.value.findings
    assert finding.where.endswith("terraform.tfvars:6")
    assert 'write `password = "env:OPENVPN_PASSWORD"`' in finding.todo
    assert "hunter-two" not in str(caught.value)


@pytest.mark.parametrize("value", ["null", '""'])
def test_no_value_at_all_is_no_secret(house, value):
    give_password(house, value)
    assert house.resolve().bindings["openvpn"].inputs["password"].source is ValueSource.UNIT


def test_a_sandbox_has_nothing_to_protect(house):
    give_password(house, '"hunter-two"', target="sandbox")
    assert house.resolve().bindings["openvpn"].inputs["password"].value == "hunter-two"


def test_all_unbound_inputs_are_listed_with_their_places(house):
    house.environment(values="")
    found = _findings(house)
    assert len(found) == 3  # a common input is told once
    assert any("modules/network/network-variables.tf:12: `pre_tag` has no value" in each for each in found)
    assert any("openvpn-variables.tf:27: `openvpn.admin_cidrs` has no value" in each for each in found)


def test_a_finding_says_where_to_write_the_value(house):
    house.environment(values='pre_tag = "demo"\npost_tag = "dev"\n')
    with pytest.raises(UsageError) as caught:
        house.resolve()
    assert "terraform.tfvars: openvpn = { admin_cidrs = … }" in caught.value.findings[0].todo


def test_a_required_input_that_nobody_feeds_is_listed(house):
    house.environment(house.read("environment.yaml").partition("wiring:")[0])
    assert "`openvpn.vpc_id` has no value and no wire" in _only(house)


def test_a_required_input_is_not_left_to_its_default(house):
    path = house.path / "modules" / "openvpn" / "openvpn-variables.tf"
    path.write_text(path.read_text().replace('"VPC of the server"', '"VPC of the server"\n  default = ""'))
    house.environment(house.read("environment.yaml").partition("wiring:")[0])
    assert "`openvpn.vpc_id` has no value and no wire" in _only(house)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "  openvpn: {}\n",
            "  openvpn: {module: opnvpn}\n",
            "environment.yaml:8: the module `opnvpn` does not exist [did you mean `openvpn`?",
        ),
        ("network.vpc_id", "netwrok.vpc_id", "uses a unit that does not exist [did you mean `network`?"),
        ("network.vpc_id", "network.vpcid", "has no output `vpcid` [did you mean `vpc_id`?"),
        ("network.vpc_id", "openvpn.vpn_url", "wires a unit to itself"),
        ("network.vpc_id", "network.key_secret", "wires a sensitive output"),
        (
            "{vpc_id: network.vpc_id}",
            "{vpc_id: network.vpc_id, instance_typ: network.vpc_id}",
            "did you mean `instance_type`?",
        ),
        ("{vpc_id: network.vpc_id}", "{vpc_id: network.vpc_id, region: network.vpc_id}", "wires a fact"),
        (
            "wiring:\n",
            "wiring:\n  opnvpn: {vpc_id: network.vpc_id}\n",
            "the unit `opnvpn` does not exist [did you mean `openvpn`?",
        ),
        ("  network: {}\n", "  network: {}\n  tags: {module: network}\n", "the unit `tags` has the name of an input"),
        ("target: sandbox\n", "target: sandbox\nprofile: me\n", "`profile` cannot be combined with `target: sandbox`"),
        ("  network: {}\n", "  network: {}\n  swarm: {}\n  dcos: {}\n", "both want the nodes"),
    ],
)
def test_what_is_wrong_in_environment_yaml_is_told_with_its_line(house, old, new, said):
    text = house.read("environment.yaml")
    assert old in text
    house.environment(text.replace(old, new))
    found = _findings(house)
    assert any(said in each and "environment.yaml:" in each for each in found), found


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            'pre_tag  = "demo"',
            'pre_tag  = "demo"\npretag = "x"',
            "terraform.tfvars:3: `pretag` is neither a common input nor a unit [did you mean `pre_tag`?",
        ),
        ("openvpn = {", "opnvpn = {", "did you mean `openvpn`?"),
        ("openvpn = {", 'region = "eu-west-1"\nopenvpn = {', "`region` is a fact; environment.yaml sets it"),
        ("openvpn = {", 'openvpn = {\n  region = "eu-west-1"', "`region` is a fact"),
        (
            "openvpn = {",
            'openvpn = {\n  instance_typ = "x"',
            "has no variable `instance_typ` [did you mean `instance_type`?",
        ),
        ("openvpn = {", 'openvpn = {\n  disk_gib = "big"', "openvpn.disk_gib: a number is required, not a string"),
        ("openvpn = {", "network = 3\nopenvpn = {", "`network` must be an object"),
        ('"demo"', '"aws-demo"', "must not begin with `aws`"),
        ('"demo"', '"de"', "3 to 12 characters, not 2"),
        ('"dev"', '"develop"', "3 to 6 characters, not 7"),
        ('"demo"', '"de_mo"', "letters, digits and dashes only"),
        ('"demo"', '"-demo"', "neither begin nor end with a dash"),
        ('"demo"', '"xn--a"', "no S3 bucket can be named `xn--a-dev`"),
        ('"10.0.0.0/8"', '"10.0.0.1/8"', "has host bits set"),
        ('"10.0.0.0/8"', '"10.0.0.0"', "the prefix length is missing"),
        ("openvpn = {", 'network = { vpc_cidr = "10.0.0.0/8" }\nopenvpn = {', "between /16 and /28"),
        ("openvpn = {", 'network = { availability_zones = ["eu-west-1a"] }\nopenvpn = {', "is in another region"),
        ("openvpn = {", 'network = { availability_zones = ["a"] }\nopenvpn = {', "is not an availability zone"),
        ("openvpn = {", 'tags = { "aws:x" = "y" }\nopenvpn = {', "`aws:x` cannot be a tag"),
        ("openvpn = {", "openvpn = {\n  disk_gib = max(1, 2)", "only a literal value is allowed here"),
        ("openvpn = {", 'backend "s3" {}\nopenvpn = {', "a block (`backend`) is not allowed"),
        ("openvpn = {", "openvpn = {{", "this is not HCL"),
    ],
)
def test_what_is_wrong_in_tfvars_is_told_with_its_line(house, old, new, said):
    house.environment(values=house.read("terraform.tfvars").replace(old, new))
    found = _findings(house)
    assert any(said in each and "terraform.tfvars:" in each for each in found), found


def test_null_is_refused_where_it_is_no_value(house):
    path = house.path / "modules" / "openvpn" / "openvpn-variables.tf"
    path.write_text(
        path.read_text().replace('administrators come from"', 'administrators come from"\n  nullable = false')
    )
    house.environment(values=house.read("terraform.tfvars").replace('["10.0.0.0/8"]', "null"))
    assert "null is not allowed for this input" in _only(house)


def test_a_cycle_is_told_with_its_whole_path(house):
    house.environment(
        house.read("environment.yaml")
        .replace("  network: {}\n", "  network: {}\n  other: {module: openvpn}\n  third: {module: openvpn}\n")
        .replace(
            "wiring:\n  openvpn: {vpc_id: network.vpc_id}",
            "wiring:\n  openvpn: {vpc_id: network.vpc_id, peer: other.vpn_url}\n"
            "  other: {vpc_id: network.vpc_id, peer: third.vpn_url}\n"
            "  third: {vpc_id: network.vpc_id, peer: openvpn.vpn_url}",
        ),
        house.read("terraform.tfvars")
        + 'other = { admin_cidrs = ["10.0.0.0/8"] }\nthird = { admin_cidrs = ["10.0.0.0/8"] }\n',
    )
    found = _only(house)
    for step in ("openvpn → other", "other → third", "third → openvpn"):
        assert step in f"{found.split('cycle: ')[1].split(';')[0]}"


def test_findings_of_all_kinds_come_together(house):
    house.environment(
        house.read("environment.yaml").replace("network.vpc_id", "network.vpcid"),
        house.read("terraform.tfvars").replace('"demo"', '"aws"').replace("openvpn = {", "stray = 1\nopenvpn = {"),
    )
    assert len(_findings(house)) == 3


def test_two_environments_of_one_account_differ_in_their_tags(house):
    """Also in two regions: the names of roles and instance profiles hold for the whole account."""
    house.environment(house.read("environment.yaml").replace("eu-central-1", "eu-west-1"), name="stage")
    assert "pre_tag and post_tag are those of the environment `dev`" in _findings(house, "stage")[0]
    house.environment(house.read("environment.yaml").replace("123456789012", "210987654321"), name="stage")
    assert house.resolve("stage").environment.account == "210987654321"


def test_a_protected_environment_exists(house):
    (house.path / "ngp.yaml").write_text("name: demo\nprotected: [dav]\n")
    assert "the protected environment `dav` does not exist [did you mean `dev`?" in _only(house)


def test_an_unknown_environment_is_told_with_the_nearest(house):
    assert "the environment `dve` does not exist [did you mean `dev`?" in _findings(house, "dve")[0]


def test_a_unit_that_is_wired_to_itself_is_told_once(house):
    house.environment(house.read("environment.yaml").replace("network.vpc_id", "openvpn.vpn_url"))
    assert "wires a unit to itself" in _only(house)


def test_environments_are_resolved_together_and_each_error_is_told_once(house):
    house.environment(values=house.read("terraform.tfvars").replace('"dev"', '"stage"'), name="stage")
    found = resolving.resolve_each(house.platform, ["stage", "dev"])
    assert [each.environment.name for each in found] == ["stage", "dev"]
    house.module("openvpn", "title: [", "")
    with pytest.raises(UsageError) as caught:
        resolving.resolve_each(house.platform, ["stage", "dev"])
    assert len({*caught.value.findings}) == len(caught.value.findings)


@pytest.mark.parametrize("name", ["dev/", "./dev", "../environments/dev", ".", ""])
def test_an_environment_is_named_and_no_path(house, name):
    found = _findings(house, name)
    assert len(found) == 1
    assert f"the environment `{name}` does not exist" in found[0]


def test_one_environment_is_loaded_without_a_look_at_the_others(house, monkeypatch):
    monkeypatch.setattr(documents, "names", None)
    assert list(documents.load(house.platform, "dev").units) == ["network", "openvpn"]


def test_many_environments_read_their_catalogue_once(house, monkeypatch):
    real, read = loading.load, []
    monkeypatch.setattr(loading, "load", lambda path, cache: read.append(path) or real(path, cache))
    house.environment(name="prod", values=house.read("terraform.tfvars").replace('"dev"', '"prod"'))
    resolved, wrong = resolving.collect(house.platform, ["dev", "prod"])
    assert (len(resolved), wrong, read) == (2, [], [house.path / "modules"])


def test_an_environment_without_units_and_values_resolves(house):
    house.environment(house.read("environment.yaml").partition("units:")[0], None, name="empty")
    (house.path / "environments" / "empty" / "terraform.tfvars").unlink(missing_ok=True)
    assert house.resolve("empty").bindings == {}


@pytest.mark.timeout(120)  # some seconds on a free machine; what grows with the square would take minutes
def test_five_thousand_variables_are_resolved(house):
    variables = "\n".join(f'variable "v{i}" {{\n  description = "V"\n  type        = string\n}}\n' for i in range(5000))
    house.module("wide", "title: Wide\nsummary: Many\ncategory: base\n", variables)
    lines = "\n".join(f'  v{i} = "value {i}"' for i in range(5000))
    house.environment(
        house.read("environment.yaml").replace("  network: {}", "  network: {}\n  wide: {}"),
        house.read("terraform.tfvars") + f"\nwide = {{\n{lines}\n}}\n",
    )
    assert len(house.resolve().bindings["wide"].inputs) == 5000


def test_resolving_imports_nothing_that_only_configure_needs(house):
    code = (
        "import sys; from pathlib import Path; from ngp.environments import platforms, resolving;"
        f"resolving.resolve(platforms.load(Path({str(house.path)!r})), 'dev');"
        "print({'questionary', 'ruamel.yaml', 'boto3', 'jinja2', 'rich'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_module_that_cannot_be_read_spoils_only_what_uses_it(house):
    path = house.path / "modules" / "cracked"
    path.mkdir()
    (path / "cracked.tf").write_text("x = = 1\n")
    (path / "module.yaml").write_text("title: J\nsummary: S\ncategory: c\n")
    assert "openvpn" in house.resolve().bindings
    text = house.read("environment.yaml").replace("units:", "units:\n  ci: {module: cracked}\n  cracked: {}", 1)
    house.environment(text)
    broken = [each for each in _findings(house) if "cracked.tf" in each]
    assert broken == [f"{path / 'cracked.tf'}:1: this is not HCL; unexpected `= 1` []"]
    assert not any("does not exist" in each for each in _findings(house))


def test_only_the_modules_that_are_used_are_read(house, mocker):
    """A first command in a fresh checkout reads HCL, which is slow: it reads what it needs."""
    read = mocker.spy(loading, "load_module")
    resolved = house.resolve()
    assert sorted(call.args[0].name for call in read.call_args_list) == ["network", "openvpn"]
    assert len(resolved.catalogue.modules) == 6
    assert read.call_count == 6
