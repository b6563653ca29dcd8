"""Every `upgrade:` entry of every manifest against a plan of the real provider, without an account.

The module's own mocks make a prepared state (`terraform test` applies with a mocked provider); then the real provider
plans over it with another value of an input, without a refresh. What it replaces, and by which attribute, is compared
with the manifest and with tests/golden/upgrades.
"""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
import yaml

from ngp import shipped
from ngp.catalogue import loading
from ngp.catalogue.module import Effect
from ngp.terraform import binary, lockfile, mirror

ROOT = Path(__file__).parents[2]
VALUES = yaml.safe_load((Path(__file__).parent / "upgrades.yaml").read_text())
NAMES = sorted(folder.name for folder in loading.folders(ROOT / "modules"))
pytestmark = [pytest.mark.integration, pytest.mark.terraform, pytest.mark.slow, pytest.mark.timeout(600)]

REAL = """
provider "aws" {
  region                      = "eu-central-1"
  access_key                  = "mock"
  secret_key                  = "mock"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
}
"""
# Data that the provider computes by itself; everything else would ask AWS.
COMPUTED = {"aws_iam_policy_document", "aws_partition", "aws_region"}
DATA = {
    "aws_caller_identity": '{ account_id = "123456789012" }',
    "aws_route53_zone": '{ zone_id = "Z0000000000000000000" }',
}


@dataclass(frozen=True)
class Change:
    """What a plan does to one resource: its actions, and the attributes (or the trigger) that force a replacement."""

    actions: tuple[str, ...]
    forced_by: tuple[str, ...]

    @property
    def is_gone(self) -> bool:
        return "delete" in self.actions


@dataclass(frozen=True)
class Plans:
    """The plans of one module by run: address without keys → change. `present` is what the prepared state holds."""

    present: frozenset[str]
    changes: dict[str, dict[str, Change]]


@cache
def plans(name: str) -> Plans:
    """Plan every change of a module in one `terraform test`."""
    folder = Path(os.environ["HOME"]) / "upgrades" / name
    shutil.copytree(ROOT / "modules" / name, folder, ignore=shutil.ignore_patterns("tests"))
    shutil.copy(shipped.lock_file(), folder)
    (folder / "tests").mkdir()
    (folder / "tests" / "upgrades.tftest.hcl").write_text(test_text(name))
    (folder / "defaults_override.tf.json").write_text(json.dumps(defaults(folder)))
    environ = {key: value for key, value in os.environ.items() if key != "TF_CLI_CONFIG_FILE"}
    run(["terraform", "init", "-input=false", "-backend=false", *providers_at_hand()], folder, environ)
    told = run(["terraform", "test", "-json", "-verbose"], folder, environ)
    return parse(told)


def run(argv, folder, environ):
    done = subprocess.run(argv, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    faults = [
        f"{event.get('@testrun')}: {event['diagnostic']['summary']} {event['diagnostic']['detail']}"
        for event in map(json.loads, done.stdout.splitlines() if argv[1] == "test" else ())
        if event.get("type") == "diagnostic" and event["diagnostic"]["severity"] == "error"
    ]
    assert done.returncode == 0, "\n".join(faults) or done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def providers_at_hand():
    home, own = Path.home(), Path.home() / ".cache" / "ngp"
    found = binary.find("", ">= 1.11.0", os.environ, cwd=ROOT, cache=own)
    places = mirror.Places(os.environ, home, own)
    source = mirror.find(lockfile.load(shipped.lock_file()), found.platform, places)
    return [f"-plugin-dir={source.folder}"] if source and source.folder else []


def test_text(name):
    """The test file: the module's own mocks and variables, a prepared state, and a plan for each change."""
    known = VALUES[name]
    own = (ROOT / "modules" / name / "tests" / f"{name}.tftest.hcl").read_text()
    head = own.split('\nrun "', 1)[0]
    head = head.replace('mock_provider "aws" {}', 'mock_provider "aws" {\n}')
    head = head.replace('mock_provider "aws" {', 'mock_provider "aws" {\n  alias = "mock"', 1)
    for kind, values in VALUES["mocks"].items():
        head = mocked(head, kind, values)
    given = known.get("given", {})
    blocks = [head, REAL, *overrides(name, head), _run("prepared", given, "apply", mocked=True), _run("same", given)]
    blocks += [_run(label, given | values) for label, values in changed(name).items()]
    return "\n".join(blocks)


def mocked(head, kind, values):
    """The mocks with more values for a type, where the module's own say nothing of them."""
    found = re.search(rf'mock_resource "{kind}" {{\s*defaults = {{(.*?)\n  }}\n', head, re.DOTALL)
    if found is None:
        block = f'\n  mock_resource "{kind}" {{\n    defaults = {json.dumps(values)}\n  }}'
        return head.replace('alias = "mock"', f'alias = "mock"{block}', 1)
    more = "".join(f"\n      {name} = {json.dumps(value)}," for name, value in values.items() if name not in found[1])
    return head[: found.start(1)] + more + "\n      " + head[found.start(1) :]


test_text.__test__ = False  # it makes a test of Terraform's


def changed(name):
    """Run → the inputs that it changes: each `replace` by itself, all others at once."""
    known = VALUES[name]
    upgrade = loading.load_module(ROOT / "modules" / name).manifest.upgrade
    runs, others = {}, {}
    for entry, value in known["changes"].items():
        more = known.get("with", {}).get(entry, {})
        if entry in upgrade and upgrade[entry].effect is Effect.REPLACE:
            runs[entry] = {entry: value} | more
        else:
            others |= {entry: value} | more
    return runs | ({"others": others} if others else {})


def overrides(name, head):
    """Values for data sources that would ask AWS, from the module's own mocks."""
    text = "\n".join(path.read_text() for path in sorted((ROOT / "modules" / name).glob("*.tf")))
    for kind, label in re.findall(r'^data "(\w+)" "(\w+)"', text, re.MULTILINE):
        if kind not in COMPUTED:
            found = re.search(rf'mock_data "{kind}" {{\s*defaults = (.*?)\n  }}\n', head, re.DOTALL)
            values = DATA.get(kind) or (found[1] if found else "{}")
            yield f"override_data {{\n  target = data.{kind}.{label}\n  values = {values}\n}}\n"


def _run(label, values, command="plan", *, mocked=False):
    inputs = "".join(f"    {name} = {json.dumps(value)}\n" for name, value in values.items())
    more = "  providers = { aws = aws.mock }\n" if mocked else "  plan_options {\n    refresh = false\n  }\n"
    return f'run "{label}" {{\n  command = {command}\n{more}  variables {{\n{inputs}  }}\n}}\n'


def defaults(folder):
    """An override file with the provider's own defaults, which a mocked provider leaves out of the state."""
    text = "\n".join(path.read_text() for path in sorted(folder.glob("*.tf")))
    found = {}
    for kind, label, body in re.findall(r'^resource "(\w+)" "(\w+)" {\n(.*?)^}', text, re.MULTILINE | re.DOTALL):
        own = {
            key: value for key, value in VALUES["defaults"].get(kind, {}).items() if f"\n  {key} " not in f"\n{body}"
        }
        if own:
            found.setdefault(kind, {})[label] = own
    return {"resource": found} if found else {}


def parse(told):
    raw, present = {}, set()
    for event in map(json.loads, told.splitlines()):
        if event.get("type") != "test_plan":
            continue
        seen = raw.setdefault(event["@testrun"], {})
        for each in event["test_plan"].get("resource_changes", ()):
            if event["@testrun"] == "same" and each["change"]["before"] is not None:
                present.add(_bare(each["address"]))
            seen[each["address"]] = _change(each), each["change"]
    same = raw.pop("same")
    noise = {address: change for address, (change, _) in same.items() if change.is_gone or "create" in change.actions}
    assert not noise, f"the prepared state is not what the provider would make: {noise}"
    changes = {}
    for label, seen in raw.items():
        told_here = changes.setdefault(label, {})
        for address, (change, values) in seen.items():
            known = same.get(address, (None, {}))[1]
            if change.actions != ("no-op",) and values.get("after") != known.get("after") or change.is_gone:
                told_here.setdefault(_bare(address), change)
    return Plans(frozenset(present), changes)


def _bare(address):
    return re.sub(r"\[[^]]*\]", "", address)


def _change(each):
    paths = [".".join(str(step) for step in path) for path in each["change"].get("replace_paths") or ()]
    if each.get("action_reason") == "replace_by_triggers":
        paths = ["replace_triggered_by"]
    return Change(tuple(each["change"]["actions"]), tuple(sorted(set(paths))))


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_has_a_value_to_try(name):
    upgrade = loading.load_module(ROOT / "modules" / name).manifest.upgrade
    untried = VALUES[name].get("untried", {})
    assert set(upgrade) == set(VALUES[name]["changes"]) | set(untried)


QUICK = ("docker-cleanup", "ecr")  # the others take up to a minute each: `make test-all`


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.whole) for name in NAMES]
)
def test_a_change_does_what_its_manifest_says(name, golden):
    manifest = loading.load_module(ROOT / "modules" / name).manifest
    found, kept, lines = plans(name), {*manifest.data, *manifest.quorum}, []
    for label, changes in found.changes.items():
        gone = {address: change for address, change in changes.items() if change.is_gone}
        if label == "others":
            entries = [entry for entry in VALUES[name]["changes"] if entry not in found.changes]
            named = {address for entry in entries for address in manifest.upgrade[entry].resources}
            replaced = {address for address, change in gone.items() if "create" in change.actions}
            assert replaced <= named, (name, replaced - named)
            assert not gone.keys() & kept, (name, gone.keys() & kept)
        else:
            named = set(manifest.upgrade[label].resources)
            assert named & found.present <= gone.keys(), (name, label, named & found.present - gone.keys())
            assert gone.keys() & kept <= named, (name, label, gone.keys() & kept - named)
        for address, change in sorted(gone.items()):
            verb = "replaced by" if "create" in change.actions else "deleted"
            lines.append(f"{label}: {address} {verb} {', '.join(change.forced_by)}".rstrip())
    golden(f"upgrades/{name}.txt", "\n".join(lines) + "\n")
