"""With OpenTofu, too, a run through the proxy and a run without it see the same."""

import re

import pytest

from ngp.terraform import lockfile

pytestmark = [pytest.mark.tofu, pytest.mark.sandbox, pytest.mark.slow]


@pytest.fixture
def lab(make_lab, tofu):
    return make_lab(tofu)


def step(steps, name):
    return next(one for one in steps if one[0] == name)


def test_aliases_ephemerals_and_for_each_over_data_in_one_root(lab):
    text = (
        lab.PROVIDER
        + """
        provider "aws" {
          alias               = "other"
          region              = "us-east-1"
          allowed_account_ids = ["123456789012"]
        }
        data "aws_availability_zones" "all" {}
        ephemeral "aws_secretsmanager_random_password" "secret" { password_length = 20 }
        resource "aws_secretsmanager_secret" "secret" { name = "secret" }
        resource "aws_secretsmanager_secret_version" "secret" {
          secret_id                = aws_secretsmanager_secret.secret.id
          secret_string_wo         = ephemeral.aws_secretsmanager_random_password.secret.random_password
          secret_string_wo_version = 1
        }
        resource "aws_sns_topic" "zone" {
          for_each = toset(data.aws_availability_zones.all.names)
          name     = each.value
        }
        resource "aws_sns_topic" "there" {
          provider = aws.other
          name     = "there"
        }
        output "arn" { value = aws_sns_topic.there.arn }
        """
    )
    seen = lab.both(lab.live, text)
    lab.require_equal(seen)
    assert [one[1] for one in seen[1]] == [0] * 7
    assert step(seen[1], "again")[2] is False
    state = step(seen[1], "apply")[4]["state"]["values"]
    assert state["outputs"]["arn"]["value"] == "arn:aws:sns:us-east-1:123456789012:there"
    providers = {one["provider_name"] for one in state["root_module"]["resources"]}
    assert providers == {"registry.opentofu.org/hashicorp/aws"}


def test_moved_and_imported_objects(lab):
    def walk(terraform, root):
        seen = lab.Walk()
        terraform.init(root)
        lab.apply(terraform, root, seen, "apply", lab.plan(terraform, root, seen, "first"))
        (root.path / "main.tf").write_text((root.path / "main.tf").read_text().replace('"old"', '"new"'))
        (root.path / "later.tf").write_text(
            """
            moved {
              from = aws_sns_topic.old
              to   = aws_sns_topic.new
            }
            removed {
              from = aws_sqs_queue.queue
              lifecycle { destroy = false }
            }
            import {
              to = aws_sqs_queue.again
              id = aws_sns_topic.new.display_name
            }
            resource "aws_sqs_queue" "again" { name = "queue" }
            """
        )
        (root.path / "queue.tf").unlink()
        lab.apply(terraform, root, seen, "moved", lab.plan(terraform, root, seen, "second"))
        lab.plan(terraform, root, seen, "third")
        return seen.steps

    topic = f"""
        resource "aws_sns_topic" "old" {{
          name         = "topic"
          display_name = "{lab.url}/123456789012/queue"
        }}
        """
    seen = lab.both(walk, lab.PROVIDER + topic, queue='resource "aws_sqs_queue" "queue" { name = "queue" }')
    lab.require_equal(seen)
    assert [one[1] for one in seen[1]] == [0] * 5
    assert step(seen[1], "third")[2] is False


@pytest.mark.parametrize(
    ("text", "failing", "says"),
    [
        (
            'resource "aws_subnet" "s" {\nvpc_id = "vpc-0"\ncidr_block = "10.0.0.0/24"\n}',
            "apply",
            "InvalidVpcID.NotFound",
        ),
        ('resource "aws_sns_topc" "typo" { name = "x" }', "validate", "Invalid resource type"),
        ('resource "aws_sns_topic" "typo" { nmae = "x" }', "validate", "Unsupported argument"),
    ],
    ids=["of the provider", "in a type", "in an argument"],
)
def test_errors(lab, text, failing, says):
    seen = lab.both(lab.live, lab.PROVIDER + text)
    lab.require_equal(seen)
    assert step(seen[1], failing)[1] == 1
    assert says in str(step(seen[1], failing)[3])


def test_a_module_of_the_catalogue(lab):
    seen = lab.both(lab.live, source=lab.ROOT / "environments/dev/units/network")
    lab.require_equal(seen)
    assert {one[1] for one in seen[1]} == {0}
    assert step(seen[1], "again")[2] is False


def test_opentofu_refuses_a_package_that_is_not_the_locked_one(lab):
    """Of a package in a mirror only its `h1:` is known, and that is the one which Terraform locked."""
    root = lab.lay(lab.PROVIDER)
    with lab.terraform(served=False) as terraform:
        assert terraform.init(root).is_ok
        path = root.path / lockfile.NAME
        path.write_text(re.sub(r'"h1:.{43}="', f'"h1:{"A" * 43}="', path.read_text()))
        refused = terraform.init(root)
    assert not refused.is_ok
    assert "checksums" in str(refused.errors)
