"""The lines that change a resource, found by the module's HCL and the environment's bindings, without Terraform."""

import subprocess

import pytest

from ngp.environments import platforms, resolving
from ngp.reports.causes import Finder
from ngp.review import baseline
from ngp.runs.results import Outcome, RunResult, UnitResult, Verb
from ngp.terraform.plans import Action, Change
from tests.harness import ROOT

MAIN = """
locals {
  name  = "${var.prefix}-vpc"
  ports = { for port in var.ports : port => port }
}

resource "aws_vpc" "this" {
  cidr_block = var.cidr
  tags       = { Name = local.name }
  user_data  = templatefile("${path.module}/files/boot.sh", { region = var.region })
  policy     = "fixed"

  rule {
    port = var.ports[0]
  }
}

resource "aws_subnet" "this" {
  for_each = local.ports
  vpc_id   = aws_vpc.this.id
  port     = each.value
}

resource "aws_route" "this" {
  ami = data.aws_ami.debian.id
}

module "child" {
  source = "./child"
  zone   = var.zone
}
"""
CHILD = """
variable "zone" {
  type = string
}
variable "size" {
  type    = number
  default = 3
}
resource "aws_zone" "this" {
  name = var.zone
  size = var.size
}
"""
VARIABLES = "".join(
    f'variable "{name}" {{\n  type = {kind}\n  description = "x"\n{more}}}\n'
    for name, kind, more in (
        ("cidr", "string", ""),
        ("prefix", "string", '  default = "ngp"\n'),
        ("ports", "list(number)", ""),
        ("region", "string", ""),
        ("zone", "string", ""),
    )
)
TFVARS = 'base = {\n  cidr  = "10.0.0.0/16"\n  ports = [80]\n  zone  = "a"\n}\n'


@pytest.fixture
def base(platform):
    """The module `base` of the small platform, with every way from a value to an attribute."""
    folder = platform / "modules" / "base"
    (folder / "base.tf").write_text(MAIN)
    (folder / "base-variables.tf").write_text(VARIABLES)
    (folder / "base-output.tf").write_text('output "vpc_id" {\n  description = "x"\n  value = aws_vpc.this.id\n}\n')
    (folder / "child").mkdir()
    (folder / "child" / "main.tf").write_text(CHILD)
    (platform / "environments" / "dev" / "terraform.tfvars").write_text(TFVARS)
    commit(platform)
    return platform


def commit(platform):
    for argv in (["add", "."], ["commit", "--quiet", "--message", "x"]):
        subprocess.run(["git", *argv], cwd=platform, check=True, capture_output=True)


def causes(platform, change, *others, base=None, **unit):
    resolved = resolving.resolve(platforms.load(platform), "dev")
    found = UnitResult("base", "base", 1, Outcome.PLANNED, changes=(change, *others), **unit)
    before = baseline.load(resolved.platform, base) if base else None
    return [(one.attribute, one.text, one.place) for one in Finder(resolved, before).of_change(found, change)]


def update(address, before, after, unknown=None, action=Action.UPDATE, **more):
    return Change(f"module.base.{address}", address.split(".")[-2], action, before, after, unknown, **more)


@pytest.mark.parametrize(
    ("address", "attribute", "text", "place"),
    [
        ("aws_vpc.this", "cidr_block", "base.cidr", "environments/dev/terraform.tfvars:2"),
        ("aws_vpc.this", "rule", "base.ports", "environments/dev/terraform.tfvars:3"),
        ("aws_vpc.this", "tags", "the default of base.prefix", "modules/base/base-variables.tf:5"),
        ("aws_vpc.this", "tags_all", "the default of base.prefix", "modules/base/base-variables.tf:5"),
        ("aws_vpc.this", "policy", "written in the module", "modules/base/base.tf:11"),
        ('aws_subnet.this["80"]', "port", "base.ports", "environments/dev/terraform.tfvars:3"),
        ("aws_route.this", "ami", "data.aws_ami.debian reads it", "modules/base/base.tf:25"),
        ("module.child.aws_zone.this", "name", "base.zone", "environments/dev/terraform.tfvars:4"),
        ("module.child.aws_zone.this", "size", "the default of `size` in a module", "modules/base/child/main.tf:5"),
    ],
)
def test_an_attribute_leads_to_the_line_that_is_written(base, address, attribute, text, place):
    assert causes(base, update(address, {attribute: "a"}, {attribute: "b"})) == [(attribute, text, place)]


def test_a_file_of_the_module_and_a_fact_are_named_both(base):
    assert causes(base, update("aws_vpc.this", {"user_data": "a"}, {"user_data": "b"})) == [
        ("user_data", "base.region, a fact", "environments/dev/environment.yaml:3"),
        ("user_data", "a file of the module", "modules/base/files/boot.sh"),
    ]


def test_what_changed_since_the_baseline_goes_alone(base):
    (base / "modules" / "base" / "files").mkdir()
    (base / "modules" / "base" / "files" / "boot.sh").write_text("new")
    found = causes(base, update("aws_vpc.this", {"user_data": "a"}, {"user_data": "b"}), base="HEAD")
    assert [(text.partition(",")[0], place) for _, text, place in found] == [
        ("a file of the module", "modules/base/files/boot.sh")
    ]
    path = base / "environments" / "dev" / "terraform.tfvars"
    path.write_text(TFVARS.replace("10.0", "10.9"))
    found = causes(base, update("aws_vpc.this", {"cidr_block": "a"}, {"cidr_block": "b"}), base="HEAD")
    assert "base.cidr, changed since " in found[0][1]
    found = causes(base, update("aws_vpc.this", {"rule": [1]}, {"rule": [2]}), base="HEAD")
    assert found == [("rule", "base.ports", "environments/dev/terraform.tfvars:3")]  # another line of that file


def test_another_resource_counts_if_it_changes_too(base):
    change = update('aws_subnet.this["80"]', {"vpc_id": "a"}, {}, {"vpc_id": True}, Action.REPLACE)
    vpc = update("aws_vpc.this", {"id": "a"}, {}, action=Action.REPLACE)
    assert causes(base, change) == []
    assert causes(base, change, vpc) == [
        ("vpc_id", "it depends on aws_vpc.this, which changes, too", "modules/base/base.tf:20")
    ]


def test_nothing_written_is_said_to_be_so(base):
    change = update("aws_vpc.this", {"dns": "a", "arn": "x"}, {"dns": "b"}, {"arn": True})
    assert causes(base, change) == [
        ("dns", "the module does not set it: a default of the provider, or a change outside of Terraform", "")
    ]
    drifted = causes(base, change, drift=("module.base.aws_vpc.this",))
    assert drifted == [("", "it was changed outside of Terraform since the last apply (drift)", "")]


def test_a_resource_that_comes_or_goes_is_explained(base):
    made = update('aws_subnet.this["80"]', None, {"port": 80}, action=Action.CREATE)
    other = update("aws_vpc.this", {"cidr_block": "a"}, {"cidr_block": "b"})
    ports = ("for_each", "base.ports", "environments/dev/terraform.tfvars:3")
    assert causes(base, made, other) == [("", "the module declares it", "modules/base/base.tf:18"), ports]
    first = ("", "the unit `base` has not been applied yet", "environments/dev/environment.yaml:6")
    assert causes(base, made) == [("", "the module declares it", "modules/base/base.tf:18"), first]
    reason = "delete_because_each_key"
    assert causes(base, update('aws_subnet.this["81"]', {}, None, action=Action.DELETE, reason=reason)) == [ports]
    reason = "delete_because_no_resource_config"
    gone = update("aws_gone.this", {}, None, action=Action.DELETE, reason=reason)
    assert causes(base, gone) == [("", "the module no longer declares it", "modules/base")]
    tainted = update("aws_vpc.this", {}, {}, action=Action.REPLACE, reason="replace_because_tainted")
    assert "tainted" in causes(base, tainted)[0][1]


def test_a_wired_input_leads_to_its_wire(base):
    change = Change("module.app.terraform_data.home", "terraform_data", Action.UPDATE, {"input": "a"}, {"input": "b"})
    resolved = resolving.resolve(platforms.load(base), "dev")
    found = Finder(resolved).of_change(UnitResult("app", "app", 2, Outcome.PLANNED, changes=(change,)), change)
    assert [(one.text, one.place) for one in found] == [
        ("app.vpc_id, wired from base.vpc_id", "environments/dev/environment.yaml:9")
    ]


def test_a_destroy_is_its_own_cause(base):
    change = update("aws_vpc.this", {}, None, action=Action.DELETE)
    result = RunResult("", Verb.DESTROY, "dev", (UnitResult("base", "base", 1, Outcome.PLANNED, changes=(change,)),))
    resolved = resolving.resolve(platforms.load(base), "dev")
    assert [one.text for one in Finder(resolved).of_run(result)["base", change.address]] == ["ngp destroy"]


def test_a_unit_that_is_gone_is_named(base):
    change = Change("module.old.a.b", "a", Action.DELETE, {}, None)
    resolved = resolving.resolve(platforms.load(base), "dev")
    found = Finder(resolved).of_change(UnitResult("old", "old", 1, Outcome.PLANNED, changes=(change,)), change)
    assert found[0].text == "the unit `old` is no longer declared"


def override(platform, old="", new=""):
    """Put ngp's own template of versions.tf into the platform, edited."""
    text = (ROOT / "templates" / "root" / "versions.tf.j2").read_text()
    assert old in text
    path = platform / "templates" / "root" / "versions.tf.j2"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.replace(old, new) if old else text)


PROVIDER, TAGS = 'provider "aws" {\n', '  default_tags { tags = { Team = "web" } }\n'


@pytest.mark.parametrize("state", ["per-module", "single"])
def test_a_template_that_makes_another_root_goes_first(base, state):
    document = base / "environments" / "dev" / "environment.yaml"
    document.write_text(f"state: {state}\n{document.read_text()}")
    override(base)
    commit(base)
    override(base, PROVIDER, "{# the team that pays #}\n" + PROVIDER + TAGS)
    change = update("aws_vpc.this", {"tags_all": {}}, {"tags_all": {"Team": "web"}})
    first, *rest = causes(base, change, base="HEAD")
    line = (base / "templates/root/versions.tf.j2").read_text().splitlines().index(TAGS.rstrip("\n")) + 1
    assert (first[0], first[2]) == ("", f"templates/root/versions.tf.j2:{line}")
    assert first[1].startswith("the template of versions.tf, changed since ")
    assert rest == [("tags_all", "the default of base.prefix", rest[0][2])]
    path = base / "environments" / "dev" / "terraform.tfvars"
    path.write_text(TFVARS.replace("10.0", "10.9"))
    found = causes(base, update("aws_vpc.this", {"cidr_block": "a"}, {"cidr_block": "b"}), base="HEAD")
    assert [text.partition(",")[0] for _, text, _ in found] == ["base.cidr", "the template of versions.tf"]


def test_a_template_that_comes_or_goes_is_named(base):
    override(base, PROVIDER, PROVIDER + TAGS)
    change = update("aws_vpc.this", {"dns": "a"}, {"dns": "b"})
    [(_, text, place)] = causes(base, change, base="HEAD")
    assert "template of versions.tf, changed since" in text
    assert place.partition(":")[0] == "templates/root/versions.tf.j2"
    commit(base)
    (base / "templates/root/versions.tf.j2").unlink()
    [(_, text, place)] = causes(base, change, base="HEAD")
    assert "template of versions.tf, removed since" in text
    assert place == "templates/root/versions.tf.j2"


def test_an_empty_template_is_named_at_its_first_line(base):
    path = base / "templates" / "root" / "versions.tf.j2"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    commit(base)
    first = causes(base, update("aws_vpc.this", {"policy": "a"}, {"policy": "b"}), base="HEAD~1")[0]
    assert first[2] == "templates/root/versions.tf.j2:1"


def test_a_template_that_makes_the_same_root_is_not_named(base):
    override(base)
    commit(base)
    override(base, PROVIDER, "{# a remark #}\n" + PROVIDER)
    (base / "templates" / "ci").mkdir()
    (base / "templates" / "ci" / "plan.yaml.j2").write_text("x")
    [cause] = causes(base, update("aws_vpc.this", {"policy": "a"}, {"policy": "b"}), base="HEAD")
    assert cause[1] == "written in the module"


def test_templates_of_the_baseline_that_do_not_work_explain_everything(base):
    override(base, PROVIDER, "{% nothing %}")
    commit(base)
    override(base, PROVIDER, PROVIDER + TAGS)
    first = causes(base, update("aws_vpc.this", {"policy": "a"}, {"policy": "b"}), base="HEAD")[0]
    assert "template of versions.tf, changed since" in first[1]
