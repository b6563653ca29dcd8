"""The rule that inputs which renew machines, by way of a template that is followed, are said to do so."""

import pytest

INPUTS = """variable "version_tag" {
  type = string
}
variable "pre_tag" {
  type = string
}
variable "owner" {
  type = string
}
variable "ami_id" {
  type = string
}
locals {
  tags = { Version = var.version_tag }
}
resource "aws_launch_template" "node" {
  name_prefix = var.pre_tag
  image_id    = var.ami_id
  tags        = { Owner = var.owner }
  tag_specifications {
    tags = local.tags
  }
  lifecycle {
    ignore_changes = [image_id]
  }
}
"""
NODES = """resource "aws_eks_node_group" "node" {
  launch_template {
    id      = aws_launch_template.node.id
    version = aws_launch_template.node.latest_version
  }
}
"""
GROUP = """resource "aws_autoscaling_group" "node" {
  launch_template {
    id      = aws_launch_template.node.id
    version = aws_launch_template.node.latest_version
  }
%s}
"""
NAMED = """locals {
  newest = aws_launch_template.node.latest_version
}
"""
REFRESH = '  dynamic "instance_refresh" {\n    for_each = []\n    content {\n      strategy = "Rolling"\n    }\n  }\n'
ROLLING = "upgrade:\n  version_tag: {effect: rolling, note: By turns.}\n"
IN_PLACE = "upgrade:\n  version_tag: {effect: in_place, note: Only a tag.}\n"


@pytest.mark.parametrize(
    ("text", "manifest", "named"),
    [
        (NODES, "", ["version_tag"]),
        (NODES, ROLLING, []),
        (NODES, IN_PLACE, ["version_tag"]),
        (NODES, "exceptions:\n  renewal var.version_tag: It is not in use.\n", []),
        (GROUP % REFRESH, "", ["version_tag"]),
        (GROUP % "", "", []),  # who comes later has it, nobody is renewed
        # These are the same text for every version, so Terraform sees no change.
        (GROUP.replace("aws_launch_template.node.latest_version", '"$Latest"') % REFRESH, "", []),
        (NODES.replace("aws_launch_template.node.latest_version", '"$Default"'), "", []),
        (NODES.replace(".latest_version", "[each.key].default_version"), "", ["version_tag"]),
        (NAMED + NODES.replace("aws_launch_template.node.latest_version", "local.newest"), "", ["version_tag"]),
        ("", "", []),
    ],
)
def test_input_that_renews_machines_by_their_template_is_said_to(check_text, text, manifest, named):
    """Not what names things, what the template's lifecycle ignores, or what it has beside its versions (its tags)."""
    found = [each for each in check_text(INPUTS + text, manifest) if each.rule == "renewal"]
    assert [each.about.removeprefix("var.") for each in found] == named
