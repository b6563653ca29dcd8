"""A run through the proxy and a run without it: the same plans, states, diagnostics and exit codes."""

import json
import shutil

import pytest

from ngp.aws import access
from ngp.aws.session import Session
from ngp.sandbox import seed

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox, pytest.mark.slow]


def step(steps, name):
    return next(one for one in steps if one[0] == name)


def test_aliases_and_what_is_special_in_one_root(lab):
    """Two regions, another account by assumed role, an ephemeral resource, `for_each` over data."""
    text = (
        lab.PROVIDER
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
    seen = lab.both(lab.live, text)
    lab.require_equal(seen)
    outputs = step(seen[1], "apply")[4]["state"]["values"]["outputs"]
    assert outputs["guest"]["value"] == "222222222222"
    assert outputs["arns"]["value"] == [
        "arn:aws:sns:eu-central-1:222222222222:guest",
        "arn:aws:sns:us-east-1:123456789012:there",
    ]


def test_moved_imported_and_forgotten_objects(lab):
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


def test_errors_of_the_provider(lab):
    text = """
        resource "aws_subnet" "lost" {
          vpc_id     = "vpc-00000000000000000"
          cidr_block = "10.0.0.0/24"
        }
        resource "aws_sns_topic" "fine" { name = "fine" }
        """
    seen = lab.both(lab.live, lab.PROVIDER + text)
    lab.require_equal(seen)
    assert step(seen[1], "apply")[1] == 1
    assert "InvalidVpcID.NotFound" in str(step(seen[1], "apply")[3])


@pytest.mark.parametrize(
    "text",
    [
        'resource "aws_sns_topc" "typo" { name = "x" }',
        'data "aws_regoin" "typo" {}',
        'resource "aws_sns_topic" "typo" { nmae = "x" }',
        'resource "aws_vpc" "bad" { cidr_block = "no address" }',
    ],
)
def test_errors_in_what_was_written(lab, text):
    seen = lab.both(lab.live, lab.PROVIDER + text)
    lab.require_equal(seen)
    assert step(seen[1], "validate")[1] == 1


def test_provider_that_refuses_its_configuration(lab):
    text = lab.PROVIDER.replace("123456789012", "999999999999")
    seen = lab.both(lab.live, text + 'resource "aws_sns_topic" "never" { name = "never" }')
    lab.require_equal(seen)
    assert step(seen[1], "first")[1] == 1


def test_types_that_only_a_distant_state_names(lab):
    """Nobody looked through the state, so its schema is missing at first, and the plan is made again with all."""

    def walk(terraform, root):
        seen = lab.Walk()
        terraform.init(root)
        lab.apply(terraform, root, seen, "apply", lab.plan(terraform, root, seen, "first"))
        (root.path / "queue.tf").unlink()
        shutil.rmtree(root.path / ".terraform" / "none", ignore_errors=True)
        with lab.terraform(served=terraform.serving is not None) as another:  # which has not seen the queue
            file = lab.plan(another, root, seen, "second")
            lab.apply(another, root, seen, "gone", file)
        return seen.steps

    backend = 'terraform {\n  backend "local" { path = "distant/state" }\n}\n'
    topic = 'resource "aws_sns_topic" "topic" { name = "topic" }'
    queue = 'resource "aws_sqs_queue" "queue" { name = "queue" }'
    seen = lab.both(walk, lab.PROVIDER + topic, backend=backend, queue=queue)
    lab.require_equal(seen)
    assert [one[1] for one in seen[1]] == [0] * 4


def test_modules_of_the_catalogue(lab):
    """network and, with its real outputs, openvpn: made, looked at again, destroyed."""

    def walk(terraform, root):
        seed.seed(
            Session(access.sandbox({}, lab.url, "eu-central-1", "123456789012")),
            region="eu-central-1",
            domain="dev.example.test",
            bucket="",
        )
        steps = lab.live(terraform, root, destroy=False)
        values = lab.show(terraform, root)["values"]["outputs"]
        state = (root.path / "terraform.tfstate").read_bytes()
        vpn = lab.lay(source=lab.ROOT / "environments/dev/units/openvpn")
        names = ["vpc_id", "vpc_cidr", "public_subnet_ids", "key_pair_name", "alarm_topic_arn"]
        (vpn.path / "wired.auto.tfvars.json").write_text(
            json.dumps({name: values.get(name, {}).get("value") for name in names})
        )
        steps += lab.live(terraform, vpn)
        root = lab.lay(source=lab.ROOT / "environments/dev/units/network")
        (root.path / "terraform.tfstate").write_bytes(state)
        return steps + lab.live(terraform, root)

    seen = lab.both(walk, source=lab.ROOT / "environments/dev/units/network")
    lab.require_equal(seen)
    assert {one[1] for one in seen[1]} == {0}
