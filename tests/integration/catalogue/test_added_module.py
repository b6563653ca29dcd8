"""A module of a Git repository, added, configured beside the network, rendered and planned on the sandbox."""

import json
import shutil
from pathlib import Path

import pytest

from tests.git import git

ROOT = Path(__file__).parents[3]
MAIN = """terraform {
  required_version = ">= 1.3"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 4.9"
    }
  }
}

resource "aws_sqs_queue" "this" {
  name                       = var.name
  sqs_managed_sse_enabled    = true
  visibility_timeout_seconds = var.visibility_timeout
  tags                       = var.tags
}

resource "aws_security_group" "clients" {
  name_prefix = var.name
  description = "Clients of ${var.name}"
  vpc_id      = var.vpc_id
}

resource "aws_ssm_parameter" "hello" {
  name  = "/${var.name}/hello"
  type  = "String"
  value = templatefile("${path.module}/templates/hello.txt", { name = var.name })
}
"""
VARIABLES = """variable "name" {
  description = "Name of the queue"
  type        = string
}
variable "vpc_id" {
  type = string
}
variable "tags" {
  type    = map(string)
  default = {}
}
variable "visibility_timeout" {
  default = 30
}
"""
OUTPUTS = """output "queue_url" {
  value = aws_sqs_queue.this.url
}
output "hello" {
  value = aws_ssm_parameter.hello.insecure_value
}
"""
FACTS = ("--sandbox", "--region", "eu-central-1", "--domain", "lab.example.test")
VALUES = ("pre_tag=lab-one", "post_tag=lab", 'tags={"team":"shop"}', "queue.name=jobs")


@pytest.fixture
def repository(tmp_path):
    """Somebody's repository of modules, with the tag v1.0.0."""
    folder = tmp_path / "terraform-modules" / "modules" / "queue"
    (folder / "templates").mkdir(parents=True)
    for name, text in {"main.tf": MAIN, "variables.tf": VARIABLES, "outputs.tf": OUTPUTS}.items():
        (folder / name).write_text(text)
    (folder / "templates" / "hello.txt").write_text("Hello ${name}")
    (folder.parent / "label").mkdir()
    (folder.parent / "label" / "main.tf").write_text('output "label" {\n  value = "x"\n}\n')  # of no provider
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "one"), ("tag", "v1.0.0")):
        git(tmp_path / "terraform-modules", *words)
    return tmp_path / "terraform-modules"


@pytest.fixture
def lab(tmp_path, ngp_in):
    path = tmp_path / "lab"
    shutil.copytree(ROOT / "modules" / "network", path / "modules" / "network")
    shutil.copy(ROOT / ".terraform.lock.hcl", path)
    (path / "ngp.yaml").write_text("name: lab\n")
    yield ngp_in(path)
    ngp_in(path).run("sandbox", "stop")


def told(ngp, *argv):
    done = ngp.run(*argv)
    assert done.exit_code == 0, (argv, done.stdout, done.stderr)
    return done.stdout


@pytest.mark.terraform
@pytest.mark.sandbox
@pytest.mark.slow
def test_a_module_of_somebody_else_lives_beside_our_own(lab, repository):
    told(lab, "module", "add", f"git::file://{repository}//modules/queue?ref=v1.0.0")
    told(lab, "module", "add", f"git::file://{repository}//modules/label?ref=v1.0.0")
    told(lab, "module", "check", "queue", "label")
    shutil.rmtree(repository)  # nothing is fetched again
    told(lab, "env", "new", "lab", *FACTS)
    values = [word for value in VALUES for word in ("--set", value)]
    told(lab, "configure", "lab", "--module", "queue", *values, "--no-input")
    told(lab, "render")
    planned = {unit["unit"]: unit for unit in json.loads(told(lab, "plan", "lab", "--json"))["units"]}
    assert {change["address"] for change in planned["queue"]["changes"]} == {
        "module.queue.aws_sqs_queue.this",
        "module.queue.aws_security_group.clients",
        "module.queue.aws_ssm_parameter.hello",
    }
    root = lab.cwd / "environments" / "lab" / "units" / "queue"
    assert json.loads((root / "values.auto.tfvars.json").read_text()) == {"name": "jobs", "tags": {"team": "shop"}}
