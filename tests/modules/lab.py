"""A platform with a few modules and an environment `lab` on a sandbox of its own, for modules that are applied."""

import json
import shutil
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import boto3

ROOT = Path(__file__).parents[2]
ACCOUNT, REGION, DOMAIN = "123456789012", "eu-central-1", "lab.example.test"


class Lab:
    """What a module's tests do with `ngp`, and look at past it."""

    def __init__(self, ngp):
        self.ngp, self.path = ngp, ngp.cwd

    def told(self, *argv):
        """What a command that must succeed prints."""
        outcome = self.ngp.run(*argv, timeout=1400)
        assert outcome.exit_code == 0, (argv, outcome.stdout[-3000:], outcome.stderr[-3000:])
        return outcome.stdout

    def document(self, *argv):
        return json.loads(self.told(*argv, "--json"))

    def units(self, *argv):
        """A run's results by unit."""
        return {unit["unit"]: unit for unit in self.document(*argv)["units"]}

    def outputs(self, unit, *flags):
        told = self.document("output", "lab", unit, *flags)["units"][unit]
        return {name: each["value"] for name, each in told.items()}

    def configure(self, *choices, values, wires=None):
        """Choose modules (``module`` or ``unit=module``), set values, wire inputs; then render."""
        words = [f"--module={choice}" for choice in choices]
        words += [f"--set={name}={value}" for name, value in values.items()]
        words += [f"--wire={name}={origin}" for name, origin in (wires or {}).items()]
        self.told("configure", "lab", "--no-input", *words)
        self.told("render", "lab")

    @cached_property
    def url(self):
        """Of the sandbox, which runs from then on."""
        return self.told("sandbox", "start").split()[0]

    @property
    def keys(self):
        """The environment in which any client reaches the sandbox; the key is the account."""
        keys = {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": REGION}
        return {"AWS_ENDPOINT_URL": self.url, **keys}

    def client(self, service):
        keys = {"aws_access_key_id": ACCOUNT, "aws_secret_access_key": "any"}
        return boto3.client(service, endpoint_url=self.url, region_name=REGION, **keys)


def lay_platform(path, *modules):
    """A platform with these modules of the catalogue; `modules/` may be added to."""
    for name in modules:
        shutil.copytree(ROOT / "modules" / name, path / "modules" / name)
    shutil.copy2(ROOT / ".terraform.lock.hcl", path / ".terraform.lock.hcl")
    (path / "ngp.yaml").write_text("name: lab\n")


@contextmanager
def open_lab(made):
    """Begin a lab's environment, and stop its sandbox at the end."""
    made.told("env", "new", "lab", "--sandbox", "--region", REGION, "--domain", DOMAIN)
    try:
        yield made
    finally:
        made.ngp.run("sandbox", "stop")
