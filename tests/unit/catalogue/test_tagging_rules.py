"""Tags: they are there, they are the platform's, and each says what its name says."""

import shutil
from pathlib import Path

import pytest

from ngp.catalogue import checks, loading
from ngp.catalogue.rules import source, tagging

ROOT = Path(__file__).parents[3]
INPUTS = "".join(f'variable "{name}" {{\n}}\n' for name in ("environment", "project", "service", "version_tag", "tags"))
LOCAL = """locals {
  own = { Environment = var.environment, Service = "${var.service}", "Version" = var.version_tag }
  tags = merge(var.tags, local.own, { Project = var.project })
}
"""
GROUP = """resource "aws_autoscaling_group" "x" {
  tag {
    key                 = "Service"
    value               = var.service
    propagate_at_launch = true
  }
}
"""


def resource(*lines, type_="aws_vpc"):
    return f'resource "{type_}" "x" {{\n' + "".join(f"  {line}\n" for line in lines) + "}\n"


SOUND = LOCAL + resource('tags = merge(local.tags, { Name = "x" })')


@pytest.fixture
def faults(check_text):
    return lambda text: [str(each.finding.what) for each in check_text(INPUTS + text) if each.rule == "tags"]


@pytest.mark.parametrize("text", [SOUND, SOUND + GROUP, SOUND + resource(type_="aws_s3_bucket_policy")])
def test_tags_that_say_what_their_names_say_are_sound(faults, text):
    assert faults(text) == []


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("= var.environment", "= var.service", "the tag `Environment` is `var.service`"),
        ('"${var.service}"', '"web"', 'the tag `Service` is `"web"`'),
        ('"${var.service}"', '"${var.service}-x"', 'the tag `Service` is `"${var.service}-x"`'),
        ("= var.version_tag", "= local.unknown", "the tag `Version` is `local.unknown`"),
        ("{ Name =", "{ Environment = var.project, Name =", "the tag `Environment` is `var.project`"),
        ("merge(local.tags, {", "merge({}, {", "does not have the tags Environment, Service, Version"),
        ("Environment = var.environment, ", "", "`aws_vpc.x` does not have the tags Environment"),
        ('merge(local.tags, { Name = "x" })', "null", "`aws_vpc.x` passes no tags"),
        ('merge(local.tags, { Name = "x" })', "local.none", "`aws_vpc.x` passes no tags"),
    ],
)
def test_a_tag_that_says_something_else_is_told(faults, old, new, says):
    assert old in SOUND
    text = f"{SOUND.replace(old, new)}locals {{\n  none = {{}}\n}}\n"
    assert any(says in each for each in faults(text))


def test_tags_of_instances_are_looked_at(faults):
    assert faults(SOUND + GROUP.replace("= var.service", "= var.environment")) == [
        "the tag `Service` is `var.environment`"
    ]


def test_tags_of_what_a_template_starts_are_looked_at(faults):
    template = "tag_specifications {\n    tags = { Service = var.project }\n  }"
    (value,) = faults(SOUND + resource("tags = local.tags", template, type_="aws_launch_template"))
    assert value == "the tag `Service` is `var.project`"


@pytest.mark.parametrize("name", ["alb", "docker-registry", "network", "snapshot", "swarm"])
def test_the_environment_of_a_shipped_module_is_the_environment(tmp_path, name):
    shutil.copytree(ROOT / "modules" / name, tmp_path / name)
    path = tmp_path / name / f"{name}.tf"
    before = source.load(loading.load_module(tmp_path / name))
    assert [*tagging.values(before), *tagging.complete(before)] == []
    text = path.read_text()
    assert "Environment = var.environment" in text
    path.write_text(text.replace("Environment = var.environment", "Environment = var.service"))
    found = [each for each in checks.check(tmp_path, [name]) if each.rule == "tags"]
    assert [each.finding.what for each in found] == ["the tag `Environment` is `var.service`"]
    assert found[0].finding.todo == "Environment = var.environment"
