"""A small platform of terraform_data alone: real Terraform, no provider to start, a state on the disk."""

import textwrap
import threading
from pathlib import Path

from ngp import files, settings
from ngp.environments import platforms, resolving
from ngp.rendering import roots, staleness
from ngp.runs import opening
from ngp.runs.request import Caller, RunRequest
from ngp.runs.results import Verb

MODULES = {
    "base": {
        "module.yaml": """
            title: Base
            summary: What the others stand on
            category: network
            provides: [vpc_id, subnet_ids, name, nothing]
            """,
        "base.tf": """
            resource "terraform_data" "vpc" {
              input            = var.cidr
              triggers_replace = [var.cidr]
            }
            resource "terraform_data" "subnet" {
              count = var.subnets
              input = "${terraform_data.vpc.id}-${count.index}"
            }
            """,
        "base-variables.tf": """
            variable "cidr" {
              type        = string
              description = "The address range"
            }
            variable "subnets" {
              type        = number
              default     = 2
              description = "How many"
            }
            """,
        "base-output.tf": """
            output "vpc_id" {
              value       = terraform_data.vpc.id
              description = "Its id"
            }
            output "subnet_ids" {
              value       = terraform_data.subnet[*].id
              description = "Their ids"
            }
            output "nothing" {
              value       = null
              description = "An output that is null"
            }
            output "name" {
              value       = "region-${var.cidr}"
              description = "A name that is known before anything is made"
            }
            """,
        "base.dummy": """
            # The address range
            cidr = "10.0.0.0/16"
            """,
    },
    "app": {
        "module.yaml": """
            title: App
            summary: Stands on the base
            category: compute
            requires: [vpc_id, subnet_ids, name, nothing]
            provides: [app_ids]
            """,
        "app.tf": """
            resource "terraform_data" "node" {
              count = length(var.subnet_ids)
              input = "${var.name} ${var.subnet_ids[count.index]}"
            }
            resource "terraform_data" "home" {
              triggers_replace = [var.vpc_id]

              provisioner "local-exec" {
                command = "sleep ${var.pause_s}"
              }
            }
            """,
        "app-variables.tf": """
            variable "vpc_id" {
              type        = string
              description = "Where it stands"
            }
            variable "subnet_ids" {
              type        = list(string)
              description = "Where its nodes stand"
            }
            variable "name" {
              type        = string
              description = "What it is called"
            }
            variable "nothing" {
              type        = string
              description = "Null"
            }
            variable "pause_s" {
              type        = number
              default     = 0
              description = "How long its making takes"
            }
            """,
        "app-output.tf": """
            output "app_ids" {
              value       = terraform_data.node[*].id
              description = "Its nodes"
            }
            output "app_password" {
              value       = sensitive("hunter-${var.name}")
              description = "A secret"
              sensitive   = true
            }
            """,
        "app.dummy": "",
    },
    "late": {
        "module.yaml": """
            title: Late
            summary: Cannot be previewed
            category: compute
            requires: [app_ids]
            """,
        "late.tf": """
            resource "terraform_data" "each" {
              for_each = toset(var.app_ids)
              input    = each.value
            }
            """,
        "late-variables.tf": """
            variable "app_ids" {
              type        = list(string)
              description = "One thing for each of these"
            }
            """,
        "late-output.tf": "",
        "late.dummy": "",
    },
}
VERSIONS = """
{{ header }}

terraform {
  required_version = {{ root.required_version | hcl }}

  backend {{ backend.kind | hcl }} {
{{ backend.settings | assignments(4) }}
  }
}
"""
ENVIRONMENT = """
target: sandbox
account: "123456789012"
region: eu-central-1
domain: example.test
units:
  base: {}
  app: {}
wiring:
  app: {vpc_id: base.vpc_id, subnet_ids: base.subnet_ids, name: base.name, nothing: base.nothing}
"""
WITH_LATE = ENVIRONMENT.replace("  app: {}\n", "  app: {}\n  late: {}\n") + "  late: {app_ids: app.app_ids}\n"


class Region:
    """A platform on the disk with one environment, `dev`, and a way to run it."""

    ENVIRONMENT = ENVIRONMENT
    WITH_LATE = WITH_LATE

    def __init__(self, path: Path, home: Path) -> None:
        self.path, self.home, self.events = path, home, []
        self.stop = threading.Event()

    def write(self, name: str, text: str) -> None:
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")

    def choose(self, environment: str = ENVIRONMENT, values: str = 'base = {\n  cidr = "10.0.0.0/16"\n}\n') -> None:
        self.write("environments/dev/environment.yaml", environment)
        self.write("environments/dev/terraform.tfvars", values)
        self.render()

    def resolve(self):
        return resolving.resolve(platforms.load(self.path), "dev")

    def render(self) -> None:
        rendered = roots.render(self.resolve())
        files.write_all({self.path / path: text for path, text in rendered.items()})
        for orphan in staleness.compare(self.path, rendered, ["dev"]).orphaned:
            (self.path / orphan).unlink()

    def open(self, verb=Verb.PLAN, units=(), **options):
        self.events = []
        caller = Caller(settings.read(), self.events.append, self.stop)
        return opening.open_run(RunRequest(verb, tuple(units), **options), self.resolve(), caller)

    def state(self, unit: str) -> Path:
        return self.path / ".ngp" / "state" / "dev" / f"{unit}.tfstate"
