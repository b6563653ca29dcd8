"""What a change of a module's inputs and outputs breaks: real Git, a catalogue on the disk, no Terraform."""

import time

import pytest

from ngp.environments import platforms
from ngp.review import baseline, contracts
from ngp.review.interfaces import ChangeKind, shape
from tests.git import git
from tests.unit.environments.house import ENVIRONMENT, MODULES, VALUES, House


@pytest.fixture
def house(tmp_path):
    path = tmp_path / "platform"
    path.mkdir()
    made = House(path)
    (path / "ngp.yaml").write_text("name: demo\n")
    (path / ".gitignore").write_text(".ngp\n")
    for name, parts in MODULES.items():
        made.module(name, *parts)
    outputs = (
        'output "vpc_id" {\n  value = aws_vpc.this.id\n}\noutput "subnet_ids" {\n  value = aws_subnet.this[*].id\n}\n'
    )
    (path / "modules" / "network" / "network-output.tf").write_text(outputs)
    made.environment()
    made.environment(name="stage", values=VALUES.replace("dev", "stage"))
    git(path, "init", "-qb", "main")
    commit(made)
    return made


def commit(house):
    git(house.path, "add", "-A")
    git(house.path, "commit", "-qm", "as it is")


def edit(house, path, old, new):
    file = house.path / path
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def compare(house, since="HEAD"):
    platform = platforms.load(house.path)
    return contracts.compare(platform, baseline.load(platform, since))


def told(house, since="HEAD"):
    """Environment, unit, kind of change and place of everything that breaks."""
    home = f"{house.path}/environments/"
    return [
        (each.environment, each.unit, each.difference.change, each.finding.where.removeprefix(home))
        for each in compare(house, since).broken
    ]


NETWORK = "modules/network/network-output.tf"
OPENVPN = "modules/openvpn/openvpn-variables.tf"


def test_no_change_breaks_nothing(house):
    found = compare(house)
    assert (found.differences, found.broken) == ((), ())


def test_a_renamed_output_breaks_those_that_take_it_in_every_environment(house):
    edit(house, NETWORK, '"vpc_id"', '"id"')
    assert told(house) == [
        (name, "openvpn", ChangeKind.RENAMED, f"{name}/environment.yaml:10") for name in ("dev", "stage")
    ]
    finding = compare(house).broken[0].finding
    assert finding.what == (
        "dev: openvpn.vpc_id is wired to network.vpc_id, but the module `network` now calls this output `id`"
    )
    assert finding.todo == "write `vpc_id: network.id`"


def test_the_output_of_this_name_of_another_module_breaks_nothing(house):
    wired = ENVIRONMENT.replace("  openvpn: {}\n", "  swarm: {}\n  dcos: {}\n  registry: {}\n")
    house.environment(wired.replace("openvpn: {vpc_id: network.vpc_id}", "registry: {cluster_id: dcos.cluster_id}"))
    commit(house)
    edit(house, "modules/swarm/swarm-output.tf", '"cluster_id"', '"id"')
    assert told(house) == []


def test_a_removed_output_that_nobody_takes_is_harmless(house):
    edit(house, NETWORK, 'output "subnet_ids" {\n  value = aws_subnet.this[*].id\n}\n', "")
    found = compare(house)
    assert [(each.name, each.change) for each in found.harmless] == [("subnet_ids", ChangeKind.REMOVED)]
    assert not found.broken


@pytest.mark.parametrize("flag", ["sensitive", "ephemeral"])
def test_a_secret_output_breaks_those_that_take_it(house, flag):
    edit(house, NETWORK, "value = aws_vpc.this.id", f"value = aws_vpc.this.id\n  {flag} = true")
    assert [each[1:3] for each in told(house)] == [("openvpn", ChangeKind(flag))] * 2


def test_an_output_of_another_kind_breaks_inputs_that_do_not_take_it(house):
    edit(house, NETWORK, "value = aws_vpc.this.id", "value = aws_vpc.this[*].id")
    assert [each[1:3] for each in told(house)] == [("openvpn", ChangeKind.RETYPED)] * 2
    edit(house, OPENVPN, 'description = "VPC of the server"\n  type        = string', "type = any")
    assert told(house) == []


def test_a_removed_input_breaks_its_value_and_its_wire(house):
    edit(house, OPENVPN, 'variable "admin_cidrs"', 'variable "offices"')
    edit(house, OPENVPN, "list(string)", "map(string)")
    edit(house, OPENVPN, 'description = "Networks that administrators come from"', "default = {}")
    edit(house, OPENVPN, 'variable "vpc_id"', 'variable "network_id"')
    assert told(house)[:2] == [
        ("dev", "openvpn", ChangeKind.RENAMED, "dev/environment.yaml:10"),
        ("dev", "openvpn", ChangeKind.REMOVED, "dev/terraform.tfvars:6"),
    ]


def test_a_retyped_input_breaks_values_that_do_not_fit_only(house):
    edit(house, OPENVPN, "list(string)", "set(string)")
    assert told(house) == []
    assert [each.change for each in compare(house).harmless] == [ChangeKind.RELAXED]
    edit(house, OPENVPN, "set(string)", "number")
    assert told(house)[0] == ("dev", "openvpn", ChangeKind.RETYPED, "dev/terraform.tfvars:6")


def test_a_new_input_without_a_default_breaks_units_that_do_not_give_it(house):
    edit(house, OPENVPN, 'variable "peer"', 'variable "port" {\n  type = number\n}\n\nvariable "peer"')
    edit(house, "environments/dev/terraform.tfvars", "openvpn = {", "openvpn = {\n  port = 1194")
    assert told(house) == [("stage", "openvpn", ChangeKind.REQUIRED, "stage/environment.yaml:8")]


def test_a_default_that_is_gone_breaks_units_that_stand_on_it(house):
    edit(house, OPENVPN, "  type        = number\n  default     = 16\n", "  type        = number\n")
    assert [each[1:3] for each in told(house)] == [("openvpn", ChangeKind.REQUIRED)] * 2


def test_a_sensitive_input_breaks_plain_values_of_accounts_only(house):
    edit(house, OPENVPN, "type        = list(string)", "type        = list(string)\n  sensitive   = true")
    assert told(house) == []  # both live in the sandbox
    edit(house, "environments/dev/environment.yaml", "target: sandbox", "target: aws")
    assert told(house) == [("dev", "openvpn", ChangeKind.SENSITIVE, "dev/terraform.tfvars:6")]


def test_a_null_value_breaks_where_null_is_none_any_more(house):
    edit(house, "environments/dev/terraform.tfvars", '["10.0.0.0/8"]', "null")
    commit(house)
    edit(house, OPENVPN, "type        = list(string)", "type        = list(string)\n  nullable    = false")
    assert told(house) == [("dev", "openvpn", ChangeKind.NOT_NULLABLE, "dev/terraform.tfvars:6")]


def test_a_pinned_environment_breaks_when_its_catalogue_moves_not_before(house):
    git(house.path, "tag", "v1")
    edit(house, "environments/dev/environment.yaml", "units:", "catalogue: v1\nunits:")
    commit(house)
    edit(house, NETWORK, '"vpc_id"', '"id"')
    assert [each[0] for each in told(house)] == ["stage"]
    commit(house)
    git(house.path, "tag", "v2")
    edit(house, "environments/dev/environment.yaml", "catalogue: v1", "catalogue: v2")
    assert [each[:3] for each in told(house)] == [("dev", "openvpn", ChangeKind.RENAMED)]


def test_a_new_environment_has_no_contract_yet(house):
    house.environment(name="new")
    edit(house, NETWORK, '"vpc_id"', '"id"')
    assert {each[0] for each in told(house)} == {"dev", "stage"}


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("aws_vpc.this.id", "string"),
        ("aws_vpc.this[0].arn", "string"),
        ("aws_subnet.this[*].id", "list"),
        ("[for one in local.all : one.id]", "list"),
        ("{ for one in local.all : one.id => one }", "map"),
        ("length(var.names)", "number"),
        ('"https://${aws_lb.this.dns_name}"', "string"),
        ("local.anything", ""),
        ("one(aws_lb.this[*].arn)", ""),
    ],
)
def test_the_kind_of_a_value_is_told_by_its_expression_where_it_can_be(expression, kind):
    assert shape(expression) == kind


def test_two_hundred_units_are_compared_in_a_second(house):
    units = "".join(f"  vpn-{index}: {{module: openvpn}}\n" for index in range(200))
    wires = "".join(f"  vpn-{index}: {{vpc_id: network.vpc_id}}\n" for index in range(200))
    values = "".join(f'vpn-{index} = {{\n  admin_cidrs = ["10.0.0.0/8"]\n}}\n' for index in range(200))
    text = ENVIRONMENT.replace("  openvpn: {}\n", units).replace("  openvpn: {vpc_id: network.vpc_id}\n", wires)
    house.environment(text, 'pre_tag = "demo"\npost_tag = "dev"\n' + values)
    commit(house)
    edit(house, NETWORK, '"vpc_id"', '"id"')
    compare(house)  # reads the files, which is kept
    started = time.process_time()
    assert len(compare(house).broken) == 201
    assert time.process_time() - started < 1
