"""A region with all that a state may hold; its states, read, put back and compared without what differs by chance."""

import difflib
import json
import re

from ngp.runs.events import Note
from tests.integration.runs.acting import base_more

TWO = """
target: sandbox
account: "123456789012"
region: eu-central-1
domain: example.test
units:
  base: {}
  base-two: {module: base}
  app: {}
  facts: {}
wiring:
  app: {vpc_id: base.vpc_id, subnet_ids: base.subnet_ids, name: base.name, nothing: base.nothing}
  facts: {vpc_id: base-two.vpc_id}
"""
VALUES = 'base = {\n  cidr = "10.0.0.0/16"\n}\nbase-two = {\n  cidr = "10.2.0.0/16"\n  subnets = 1\n}\n'
RICH = """
module "inner" {
  source = "./inner"
  each   = toset([for index in range(var.subnets) : "key \\"${index}\\""])
}
resource "terraform_data" "secret" {
  input = sensitive("s3cret-${var.cidr}")
}
resource "terraform_data" "first" {
  triggers_replace = [var.cidr]
  input            = terraform_data.below.id
  lifecycle {
    create_before_destroy = true
    postcondition {
      condition     = self.id != ""
      error_message = "It has no id."
    }
  }
}
resource "terraform_data" "below" {
  input = "stands below"
}
data "terraform_remote_state" "given" {
  backend = "local"
  config  = { path = "${path.module}/given.json" }
}
check "size" {
  assert {
    condition     = var.subnets > 1
    error_message = "It is small."
  }
}
output "keys" {
  value       = module.inner.keys
  description = "What is inside"
  precondition {
    condition     = length(module.inner.keys) > 0
    error_message = "There are none."
  }
}
"""
INNER = """
variable "each" {
  type = set(string)
  validation {
    condition     = length(var.each) < 9
    error_message = "These are too many."
  }
}
resource "terraform_data" "each" {
  for_each = var.each
  input    = each.key
}
output "keys" {
  value = [for key, one in terraform_data.each : one.output]
}
"""
FACTS = {
    "module.yaml": "title: Facts\nsummary: Outputs only\ncategory: network\nrequires: [vpc_id]\nprovides: [fact]\n",
    "facts.tf": "",
    "facts-variables.tf": 'variable "vpc_id" {\n  type = string\n  description = "Of what"\n}\n',
    "facts-output.tf": 'output "fact" {\n  value = "about ${var.vpc_id}"\n  description = "A fact"\n}\n',
    "facts.dummy": "",
}
GIVEN = '{"version": 4, "terraform_version": "1.9.8", "serial": 1, "lineage": "x", "outputs": {}, "resources": []}'
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def texts(region):
    """The bytes of each unit's state."""
    return {path.stem: path.read_bytes() for path in (region.path / ".ngp/state/dev").glob("*.tfstate")}


def restore(region, before):
    for path in (region.path / ".ngp/state/dev").glob("*"):
        path.unlink()
    for name, data in before.items():
        region.state(name).write_bytes(data)


def normal(states):
    """States without their lineage and serial, in one order, each id that Terraform made up in order of appearance."""
    documents = {name: json.loads(data) for name, data in sorted(states.items())}
    for document in documents.values():
        del document["lineage"], document["serial"]
        document["resources"] = [_resource(one) for one in sorted(document["resources"], key=_key)]
        document["check_results"] = sorted(
            map(_check, document["check_results"] or ()), key=lambda one: one["config_addr"]
        )
    text = json.dumps(documents, indent=1, sort_keys=True)
    numbers: dict[str, str] = {}
    return UUID.sub(lambda found: numbers.setdefault(found[0], f"id-{len(numbers)}"), text).splitlines()


def _key(resource):
    return tuple(resource.get(name, "") for name in ("module", "mode", "type", "name"))


def _resource(resource):
    instances = [
        {**one, "dependencies": sorted(one.get("dependencies") or ()), "deposed": "deposed" in one}
        for one in resource["instances"]
    ]
    return {**resource, "instances": sorted(instances, key=lambda one: (str(one.get("index_key")), one["deposed"]))}


def _check(result):
    return {**result, "objects": sorted(result.get("objects") or (), key=lambda one: one["object_addr"])}


def both(region, act):
    """Do something jointly, and from the same states apart; the states that each leaves must be equal.

    Returns the results of both. The states of the joint way stay.
    """
    before = texts(region)
    apart = act(is_apart=True)
    assert {one.log.rpartition("/")[2] for one in apart.values() if one.log} <= {f"{name}.log" for name in apart}
    single = texts(region)
    restore(region, before)
    together = act()
    told = [event.text for event in region.events if isinstance(event, Note)]
    assert "_all.log" in {one.log.rpartition("/")[2] for one in together.values()}, told
    joint = texts(region)
    assert "\n".join(difflib.unified_diff(normal(single), normal(joint), "apart", "joint")) == ""
    return together, apart


def enrich(region):
    """Give the small platform all that a state may hold, two units of one module and one of outputs alone."""
    base_more(region, RICH)
    region.write("modules/base/inner/inner.tf", INNER)
    region.write("modules/base/given.json", GIVEN)
    for name, text in FACTS.items():
        region.write(f"modules/facts/{name}", text)
    region.choose(TWO, VALUES)
    return region
