"""What two environments differ in, what is declared, and what a promotion writes."""

from datetime import date

import pytest

from ngp import shipped
from ngp.environments import comparing, promoting
from ngp.environments.comparing import DifferenceStatus
from ngp.errors import UsageError
from ngp.rendering import promotion
from tests.git import git
from tests.unit.environments.house import ENVIRONMENT, VALUES

TODAY = date(2026, 12, 1)
PROD = ENVIRONMENT.replace("dev.example.com", "prod.example.com").replace("eu-central-1", "eu-west-1")


@pytest.fixture
def pair(house):
    """stage and prod, equal but for their facts."""
    house.environment(name="stage")
    house.environment(PROD, VALUES.replace('"dev"', '"prod"'), name="prod")
    return house


def edit(house, name, file, old, new):
    path = house.path / "environments" / name / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def compare(house):
    sides = [comparing.load(house.platform, name) for name in ("stage", "prod")]
    return comparing.compare(*sides, TODAY)


def told(house):
    return [(each.key, each.source, each.target) for each in compare(house)]


def promote(house, *only):
    source, target = (comparing.load(house.platform, name) for name in ("stage", "prod"))
    return promoting.prepare(house.platform, source, target, comparing.compare(source, target, TODAY), only)


def texts(made):
    return {path.name: text for path, text in made.files.items()}


def declare(house, key, until="2027-01-31"):
    text = f"\ndifferences:\n  {key}: {{owner: ops@example.com, until: {until}}}\n"
    path = house.path / "environments/prod/environment.yaml"
    path.write_text(path.read_text() + text)


def test_facts_and_names_are_no_difference(pair):
    assert told(pair) == []


def test_values_units_wires_and_tags_are_compared(pair):
    edit(pair, "stage", "terraform.tfvars", "openvpn = {", 'openvpn = {\n  instance_type = "t3.large"')
    edit(pair, "stage", "environment.yaml", "  openvpn: {}", "  openvpn: {tags: [edge]}\n  swarm: {}")
    edit(pair, "prod", "environment.yaml", "wiring:\n  openvpn: {vpc_id: network.vpc_id}\n", "")
    assert told(pair) == [
        ("units.openvpn", "openvpn, tag edge", "openvpn"),
        ("units.swarm", "swarm", ""),
        ("wiring.openvpn.vpc_id", "network.vpc_id", ""),
        ("values.openvpn.instance_type", '"t3.large"', ""),
    ]
    assert {each.key: each.where.rpartition("/")[2] for each in compare(pair)}["units.openvpn"] == "environment.yaml:8"


def test_a_default_that_is_written_down_is_no_difference(pair):
    edit(pair, "stage", "terraform.tfvars", "openvpn = {", 'openvpn = {\n  instance_type = "t3.small"')
    assert told(pair) == []


def test_references_to_secrets_are_each_environments_own(pair):
    for name in ("stage", "prod"):
        edit(pair, name, "environment.yaml", "  openvpn: {}", "  openvpn: {}\n  database: {}")
        path = pair.path / "environments" / name / "terraform.tfvars"
        path.write_text(path.read_text() + f'database = {{\n  api_token = "env:{name.upper()}_TOKEN"\n}}\n')
    assert told(pair) == []


@pytest.mark.parametrize(
    ("until", "standing"),
    [("2026-12-01", DifferenceStatus.DECLARED), ("2026-11-30", DifferenceStatus.EXPIRED)],
)
def test_a_declaration_holds_up_to_its_day(pair, until, standing):
    edit(pair, "prod", "terraform.tfvars", "openvpn = {", "openvpn = {\n  disk_gib = 64")
    declare(pair, "values.openvpn.*", until)
    (found,) = compare(pair)
    assert (found.standing, found.declared.owner) == (standing, "ops@example.com")
    assert promote(pair).promoted == ()  # also an expired one stays: its owner decides


@pytest.mark.parametrize("line", ["owner: ops@example.com", "owner: ops, until: 2027-02-30", "owner: ops, until: soon"])
def test_a_declaration_needs_an_owner_and_a_day(pair, line):
    path = pair.path / "environments/prod/environment.yaml"
    path.write_text(path.read_text() + f"differences:\n  values.openvpn.disk_gib: {{{line}}}\n")
    with pytest.raises(UsageError, match="until"):
        compare(pair)


def test_a_declaration_of_nothing_is_reported(pair):
    declare(pair, "values.openvpn.disk_gib")
    assert comparing.unused(compare(pair), comparing.load(pair.platform, "prod")) == ("values.openvpn.disk_gib",)


def test_promotion_takes_values_with_their_comments_and_keeps_those_of_the_target(pair):
    edit(pair, "stage", "terraform.tfvars", '["10.0.0.0/8"]', '[\n    "10.9.0.0/16",\n  ]')
    new = "openvpn = {\n  # as big as the night needs\n  disk_gib = 64\n  peer = <<EOT\n b\nEOT\n"
    edit(pair, "stage", "terraform.tfvars", "openvpn = {", new)
    edit(pair, "prod", "terraform.tfvars", "# How everything is called", "# Names of prod")
    assert (
        texts(promote(pair))["terraform.tfvars"]
        == """\
# Names of prod
pre_tag  = "demo"
post_tag = "prod"

openvpn = {
  admin_cidrs = [
    "10.9.0.0/16",
  ] # the office
  # as big as the night needs
  disk_gib = 64
  peer = <<EOT
 b
EOT
}
"""
    )
    assert texts(promote(pair))["environment.yaml"] == PROD


def test_a_new_value_over_lines_is_indented_as_its_place_needs(pair):
    edit(pair, "prod", "terraform.tfvars", 'openvpn = {\n  admin_cidrs = ["10.0.0.0/8"] # the office\n}\n', "")
    edit(pair, "stage", "terraform.tfvars", '["10.0.0.0/8"]', '[\n    "10.9.0.0/16",\n  ]')
    whole = 'openvpn = {\n  admin_cidrs = [\n    "10.9.0.0/16",\n  ]\n}\n'
    assert texts(promote(pair))["terraform.tfvars"].endswith(whole)


def test_promotion_brings_a_new_unit_with_its_wires_and_values(pair):
    edit(pair, "stage", "environment.yaml", "  openvpn: {}", "  openvpn: {}\n  swarm: {tags: [big]} # nodes")
    wires = "swarm: {vpc_id: network.vpc_id, subnet_ids: network.subnet_ids}"
    edit(pair, "stage", "environment.yaml", "wiring:\n", f"wiring:\n  {wires}\n")
    edit(pair, "prod", "environment.yaml", "  network: {}", "  network: {} # since 2019")
    path = pair.path / "environments/stage/terraform.tfvars"
    path.write_text(path.read_text() + "\n# Nodes\nswarm = {\n  pools = { a = { size = 2 } }\n}\n")
    made = promote(pair)
    document = texts(made)["environment.yaml"]
    assert "  network: {} # since 2019\n  openvpn: {}\n  swarm: {tags: [big]}\n" in document
    assert f"  {wires}\n" in document
    assert texts(made)["terraform.tfvars"].endswith("# Nodes\nswarm = {\n  pools = { a = { size = 2 } }\n}\n")
    resolved = promoting.resolve(pair.platform, "prod", made.files)
    assert resolved.edges["swarm"] == ("network",)


def test_promotion_of_some_units_leaves_the_others(pair):
    edit(pair, "stage", "terraform.tfvars", "openvpn = {", "openvpn = {\n  disk_gib = 64")
    assert promote(pair, "network").promoted == ()
    assert [each.key for each in promote(pair, "openvpn").promoted] == ["values.openvpn.disk_gib"]
    with pytest.raises(UsageError, match="no unit `openvp`"):
        promote(pair, "openvp")


def test_promotion_removes_values_and_wires_but_never_a_unit(pair):
    edit(pair, "prod", "terraform.tfvars", "openvpn = {", "openvpn = {\n  disk_gib = 64")
    edit(pair, "prod", "environment.yaml", "  openvpn: {}", "  openvpn: {}\n  dcos: {}")
    edit(pair, "prod", "environment.yaml", "{vpc_id: network.vpc_id}", "{vpc_id: network.vpc_id, peer: network.vpc_id}")
    made = promote(pair)
    assert "disk_gib" not in texts(made)["terraform.tfvars"]
    assert texts(made)["environment.yaml"] == PROD.replace("  openvpn: {}", "  openvpn: {}\n  dcos: {}")
    assert [(each.key, reason[:15]) for each, reason in made.left] == [("units.dcos", "only the target")]


def test_a_promotion_that_does_not_resolve_is_an_error_before_anything_is_written(pair):
    edit(pair, "stage", "environment.yaml", "  openvpn: {}", "  openvpn: {}\n  registry: {}")
    with pytest.raises(UsageError, match="registry.cluster_id"):
        promoting.resolve(pair.platform, "prod", promote(pair).files)


def test_a_pinned_target_moves_to_the_commit_of_the_source_and_modules_are_compared_by_content(pair):
    (pair.path / ".gitignore").write_text(".ngp\n")
    git(pair.path, "init", "-qb", "main")
    git(pair.path, "add", "-A")
    git(pair.path, "commit", "-qm", "one")
    git(pair.path, "tag", "v1")
    edit(pair, "prod", "environment.yaml", "units:", "catalogue: v1\nunits:")
    assert told(pair) == []
    (pair.path / "modules/network/network.tf").write_text("# more\n")
    assert [each.key for each in compare(pair)] == ["modules.network"]
    with pytest.raises(UsageError, match="are not committed"):
        promote(pair)
    git(pair.path, "add", "-A")
    git(pair.path, "commit", "-qm", "two")
    assert f"catalogue: {git(pair.path, 'rev-parse', 'HEAD')}\n" in texts(promote(pair))["environment.yaml"]
    edit(pair, "stage", "environment.yaml", "units:", "catalogue: main\nunits:")
    assert "catalogue: main\n" in texts(promote(pair))["environment.yaml"]


@pytest.fixture
def platform(pair):
    """Where the fixture `ngp` works; it can be rendered."""
    (pair.path / ".terraform.lock.hcl").write_text(shipped.lock_file().read_text())
    return pair.path


def test_the_commands_end_with_what_differs_and_write_what_is_promoted(platform, pair, ngp):
    assert ngp.call("env", "diff", "stage", "prod").stdout == "stage and prod are equal\n"
    edit(pair, "stage", "terraform.tfvars", "openvpn = {", "openvpn = {\n  disk_gib = 64")
    done = ngp.call("env", "diff", "stage", "prod")
    assert (done.exit_code, done.stdout) == (2, "values.openvpn.disk_gib: nothing → 64\n")
    before = pair.tree()
    done = ngp.call("env", "promote", "stage", "prod", "--dry-run")
    assert (done.exit_code, pair.tree()) == (0, before)
    assert "+  disk_gib = 64" in done.stdout
    done = ngp.call("env", "promote", "stage", "prod", "--json")
    assert "environments/prod/units/openvpn/values.auto.tfvars.json" in done.document["changed"]
    assert ngp.call("render", "prod", "--check").exit_code == 0
    assert ngp.call("env", "diff", "stage", "prod", "--json").document["differences"] == []


def test_a_declared_difference_is_shown_and_ends_with_0(platform, pair, ngp):
    edit(pair, "prod", "terraform.tfvars", "openvpn = {", "openvpn = {\n  disk_gib = 64")
    declare(pair, "values.openvpn.disk_gib", "2999-01-31")
    done = ngp.call("env", "diff", "stage", "prod")
    assert done.exit_code == 0
    assert done.stdout.endswith("64 → nothing (declared until 2999-01-31 by ops@example.com)\n")


def test_sensitive_values_are_masked_everywhere(platform, pair, ngp):
    for name in ("stage", "prod"):
        edit(pair, name, "environment.yaml", "  openvpn: {}", "  openvpn: {}\n  vault: {}")
    declared = 'variable "token" {\n  type = string\n  sensitive = true\n  default = ""\n}\n'
    pair.module("vault", "title: V\nsummary: V\ncategory: data\n", declared)
    path = pair.path / "environments/stage/terraform.tfvars"
    path.write_text(path.read_text() + 'vault = {\n  token = "canary"\n}\n')
    for line in (("diff",), ("diff", "--json"), ("promote", "--dry-run"), ("promote", "--json")):
        done = ngp.call("env", line[0], "stage", "prod", *line[1:])
        assert "canary" not in done.stdout + done.stderr
        assert "(sensitive)" in done.stdout


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("diff stage nowhere", "the environment `nowhere` does not exist"),
        ("diff stage stage", "`stage` cannot be compared with itself"),
        ("promote nowhere prod", "the environment `nowhere` does not exist"),
        ("promote  prod", "the environment `` does not exist"),
        ("promote stage ../prod", "the environment `../prod` does not exist"),
        ("promote stage .", "the environment `.` does not exist"),
        ("promote prod prod", "`prod` cannot be compared with itself"),
        ("promote stage prod --only openvpm", "`stage` has no unit `openvpm`"),
        ("promote stage prod --plan --json", "`--plan` does not work with `--json` or `--dry-run`"),
        ("promote stage prod --plan --dry-run", "`--plan` does not work with `--json` or `--dry-run`"),
    ],
)
def test_wrong_words_change_nothing(platform, pair, ngp, line, says):
    edit(pair, "stage", "terraform.tfvars", "openvpn = {", "openvpn = {\n  disk_gib = 64")
    before = pair.tree()
    done = ngp.call("env", *line.split(" "))
    assert (done.exit_code, pair.tree()) == (64, before), done.stderr
    assert says in done.stderr


@pytest.mark.parametrize("side", ["stage", "prod"])
@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("terraform.tfvars", "<<<<<<< HEAD\n", "this is a conflict of Git"),
        ("terraform.tfvars", "caf\udce9 = 1\n", "this file is not UTF-8"),
        ("environment.yaml", "units: [", "environment.yaml"),
        ("environment.yaml", "", "environment.yaml"),
    ],
)
def test_a_file_that_cannot_be_read_changes_nothing(platform, pair, ngp, side, file, text, says):
    edit(pair, "stage", "terraform.tfvars", "openvpn = {", "openvpn = {\n  disk_gib = 64")
    (pair.path / "environments" / side / file).write_text(text, errors="surrogateescape")
    before = pair.tree()
    for words in (("diff", "stage", "prod"), ("promote", "stage", "prod")):
        done = ngp.call("env", *words)
        assert (done.exit_code, pair.tree()) == (64, before), done.stderr
        assert says in done.stderr
        assert f"environments/{side}/{file}" in done.stderr


def test_a_promotion_makes_the_values_that_the_target_lacks(platform, pair, ngp):
    (pair.path / "environments/prod/terraform.tfvars").unlink()
    done = ngp.call("env", "promote", "stage", "prod")
    assert done.exit_code == 64, done.stdout  # names are an environment's own, so somebody has to give them
    assert "pre_tag" in done.stderr
    assert not (pair.path / "environments/prod/terraform.tfvars").exists()


def test_a_promotion_writes_through_a_link_of_the_operator(pair, tmp_path):
    (pair.path / ".terraform.lock.hcl").write_text("# master\n")
    edit(pair, "stage", "terraform.tfvars", "10.0.0.0/8", "10.1.0.0/16")
    values, elsewhere = pair.path / "environments/prod/terraform.tfvars", tmp_path / "elsewhere.tfvars"
    values.rename(elsewhere)
    values.symlink_to(elsewhere)
    before = elsewhere.read_text()
    made = promotion.promote(pair.platform, "stage", "prod", (), write=False)
    assert (list(made.own), elsewhere.read_text()) == ([values], before)
    promotion.promote(pair.platform, "stage", "prod", (), write=True)
    assert values.is_symlink()
    assert elsewhere.read_text() == made.own[values] != before
