"""A run through the proxy and a run without it: the same plans, states, diagnostics and exit codes."""

import pytest

from tests.comparing import require_equal
from tests.integration.proxy.lab import PROVIDER, Walk

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox, pytest.mark.slow]


def step(steps, name):
    return next(one for one in steps if one.name == name)


def made(walk):
    walk.init()
    walk.make("made")


def test_aliases_and_what_is_special_in_one_root(lab):
    """Two regions, another account by assumed role, an ephemeral resource, `for_each` over data."""
    text = (
        PROVIDER
        + """
        provider "aws" {
          alias               = "other"
          region              = "us-east-1"
          allowed_account_ids = ["123456789012"]
        }
        provider "aws" {
          alias  = "guest"
          region = "eu-central-1"
          assume_role {
            role_arn     = "arn:aws:iam::222222222222:role/guest"
            session_name = "ngp"
          }
        }
        data "aws_caller_identity" "guest" { provider = aws.guest }
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
        resource "aws_sns_topic" "guest" {
          provider = aws.guest
          name     = "guest"
        }
        output "guest" { value = data.aws_caller_identity.guest.account_id }
        output "arns" { value = [aws_sns_topic.there.arn, aws_sns_topic.guest.arn] }
        """
    )
    seen = lab.both(Walk.live, text)
    require_equal(seen)
    outputs = step(seen[1], "made").documents["state"]["outputs"]
    assert outputs["guest"]["value"] == "222222222222"
    assert outputs["arns"]["value"] == [
        "arn:aws:sns:eu-central-1:222222222222:guest",
        "arn:aws:sns:us-east-1:123456789012:there",
    ]


def test_moved_imported_and_forgotten_objects(lab):
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
    assert [one.exit_code for one in seen[1]] == [0] * 6
    assert step(seen[1], "again").has_changes is False


def test_many_objects_in_one_root(lab):
    """One connection carries a hundred calls at once; this root makes more, ten at a time."""
    text = """
        resource "aws_sns_topic" "many" {
          count = 60
          name  = "topic-${count.index}"
        }
        output "arns" { value = aws_sns_topic.many[*].arn }
        """

    def visit(walk):
        walk.init()
        walk.make("made")
        walk.plan("again")
        walk.make("gone", destroy=True)

    seen = lab.both(visit, PROVIDER + text)
    require_equal(seen)
    arns = step(seen[1], "made").documents["state"]["outputs"]["arns"]["value"]
    assert len(set(arns)) == 60
    assert step(seen[1], "again").has_changes is False
    assert {one.exit_code for one in seen[1]} == {0}


def test_errors_of_the_provider(lab):
    text = """
        resource "aws_subnet" "lost" {
          vpc_id     = "vpc-00000000000000000"
          cidr_block = "10.0.0.0/24"
        }
        resource "aws_sns_topic" "fine" { name = "fine" }
        """
    seen = lab.both(made, PROVIDER + text)
    require_equal(seen)
    assert step(seen[1], "made").exit_code == 1
    assert "InvalidVpcID.NotFound" in str(step(seen[1], "made").said)


def test_errors_in_what_was_written(lab):
    """Terraform reports them all at once."""
    text = """
        resource "aws_sns_topc" "typo" { name = "x" }
        data "aws_regoin" "typo" {}
        resource "aws_sns_topic" "typo" { nmae = "x" }
        resource "aws_vpc" "bad" { cidr_block = "no address" }
        """
    seen = lab.both(Walk.live, PROVIDER + text)
    require_equal(seen)
    for name in ("validate", "made: plan"):
        assert step(seen[1], name).exit_code == 1
        for word in ("aws_sns_topc", "aws_regoin", "nmae", "no address"):
            assert word in str(step(seen[1], name).said), name


def test_provider_that_refuses_its_configuration(lab):
    text = PROVIDER.replace("123456789012", "999999999999")
    seen = lab.both(made, text + 'resource "aws_sns_topic" "never" { name = "never" }')
    require_equal(seen)
    assert step(seen[1], "made: plan").exit_code == 1


def test_types_that_only_a_distant_state_names(lab):
    """Nobody looked through the state, so its schema is missing at first, and the plan is made again with all."""

    def visit(walk):
        walk.init()
        walk.make("made")
        (walk.path / "queue.tf").unlink()
        with lab.terraform(served=walk.is_served) as another:  # which has not seen the queue
            Walk(lab, another, walk.root, walk.steps).make("gone")

    backend = 'terraform {\n  backend "local" { path = "distant/state" }\n}\n'
    topic = 'resource "aws_sns_topic" "topic" { name = "topic" }'
    queue = 'resource "aws_sqs_queue" "queue" { name = "queue" }'
    seen = lab.both(visit, PROVIDER + topic, backend=backend, queue=queue)
    require_equal(seen)
    assert [one.exit_code for one in seen[1]] == [0] * 5
