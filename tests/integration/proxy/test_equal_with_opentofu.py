"""With OpenTofu, too, a run through the proxy and a run without it see the same."""

import re

import pytest

from ngp.terraform import lockfile
from tests.comparing import require_equal
from tests.integration.proxy.lab import PROVIDER, Lab, Walk, find_aws

pytestmark = [pytest.mark.tofu, pytest.mark.sandbox, pytest.mark.slow]


@pytest.fixture
def lab(tmp_path, emulator, tofu):
    return Lab(tmp_path / "root", find_aws(tmp_path, tofu), emulator)


def step(steps, name):
    return next(one for one in steps if one.name == name)


def test_aliases_ephemerals_and_for_each_over_data_in_one_root(lab):
    text = (
        PROVIDER
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
    seen = lab.both(Walk.live, text)
    require_equal(seen)
    assert [one.exit_code for one in seen[1]] == [0] * 7
    assert step(seen[1], "again").has_changes is False
    state = step(seen[1], "made").documents["state"]
    assert state["outputs"]["arn"]["value"] == "arn:aws:sns:us-east-1:123456789012:there"
    providers = {one["provider"].partition("]")[0] for one in state["resources"]}
    assert providers == {'provider["registry.opentofu.org/hashicorp/aws"'}


@pytest.mark.whole
def test_moved_and_imported_objects(lab):
    def visit(walk):
        walk.init()
        walk.make("made")
        (walk.path / "main.tf").write_text((walk.path / "main.tf").read_text().replace('"old"', '"new"'))
        (walk.path / "queue.tf").unlink()
        (walk.path / "later.tf").write_text(
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
        walk.make("moved")
        walk.plan("again")

    topic = f"""
        resource "aws_sns_topic" "old" {{
          name         = "topic"
          display_name = "{lab.url}/123456789012/queue"
        }}
        """
    seen = lab.both(visit, PROVIDER + topic, queue='resource "aws_sqs_queue" "queue" { name = "queue" }')
    require_equal(seen)
    assert {one.exit_code for one in seen[1]} == {0}
    assert step(seen[1], "again").has_changes is False


def test_errors_of_the_provider(lab):
    subnet = 'resource "aws_subnet" "s" {\n  vpc_id = "vpc-0"\n  cidr_block = "10.0.0.0/24"\n}\n'

    def visit(walk):
        walk.init()
        walk.make("made")

    seen = lab.both(visit, PROVIDER + subnet)
    require_equal(seen)
    assert step(seen[1], "made").exit_code == 1
    assert "InvalidVpcID.NotFound" in str(step(seen[1], "made").said)


def test_errors_in_what_was_written(lab):
    """OpenTofu reports both at once."""
    text = 'resource "aws_sns_topc" "typo" { name = "x" }\nresource "aws_sns_topic" "typo" { nmae = "x" }\n'

    def visit(walk):
        walk.init()
        walk.validate()

    seen = lab.both(visit, PROVIDER + text)
    require_equal(seen)
    assert step(seen[1], "validate").exit_code == 1
    for says in ("Invalid resource type", "Unsupported argument"):
        assert says in str(step(seen[1], "validate").said)


@pytest.mark.whole
def test_a_module_of_the_catalogue(lab):
    seen = lab.both(lambda walk: walk.at("network", {}).live())
    require_equal(seen)
    assert {one.exit_code for one in seen[1]} == {0}
    assert step(seen[1], "again").has_changes is False


def test_opentofu_refuses_a_package_that_is_not_the_locked_one(lab):
    """Of a package in a mirror only its `h1:` is known, and that is the one which Terraform locked."""
    root = lab.lay(PROVIDER)
    with lab.terraform(served=False) as terraform:
        assert terraform.init(root).is_ok
        path = root.path / lockfile.NAME
        path.write_text(re.sub(r'"h1:.{43}="', f'"h1:{"A" * 43}="', path.read_text()))
        refused = terraform.init(root)
    assert not refused.is_ok
    assert "checksums" in str(refused.errors)
