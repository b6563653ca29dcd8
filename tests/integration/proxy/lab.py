"""The same root walked twice from nothing, plainly and through the proxy, and what Terraform said of it."""

import json
import os
import shutil
import sys
import textwrap
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from ngp.aws import access
from ngp.errors import NgpError
from ngp.proxy.packages import package_hash
from ngp.sandbox import server
from ngp.terraform import binary, child_environ, commands, driver, lockfile, mirror, serving
from ngp.terraform.commands import PlanOptions
from ngp.terraform.driver import Root, Watch
from ngp.terraform.events import UnknownEvent
from ngp.terraform.lockfile import Locked
from ngp.terraform.results import Result
from tests.comparing import level

ROOT = Path(__file__).parents[3]
FICKLE = ROOT / "tests" / "provider" / "fickle.py"
FICKLE_ADDRESS, FICKLE_VERSION = "example.test/ours/fickle", "1.0.0"
ACCOUNT, REGION = "123456789012", "eu-central-1"
PROVIDER = f"""
provider "aws" {{
  region              = "{REGION}"
  allowed_account_ids = ["{ACCOUNT}"]
}}
"""


class Step(NamedTuple):
    """What was seen of one call of Terraform, levelled."""

    name: str
    exit_code: int
    has_changes: bool
    said: list
    documents: dict


@dataclass(frozen=True)
class Supply:
    """A binary, a mirror of provider packages for it, and the lock that names them as it does."""

    binary: binary.Binary
    folder: Path
    lock: tuple[Locked, ...]

    def required(self):
        providers = {one.address.rpartition("/")[2]: {"source": one.source} for one in self.lock}
        return json.dumps({"terraform": {"required_providers": providers}})


def find_binary(cwd, name="terraform"):
    return binary.find(name, "", dict(os.environ), cwd=cwd, cache=Path(os.environ["HOME"]) / ".cache" / "ngp")


def find_aws(cwd, name="terraform"):
    """The platform's own providers, for the binary that `ngp.yaml` would name so."""
    lock, home, found = lockfile.load(ROOT / lockfile.NAME), Path(os.environ["HOME"]), find_binary(cwd, name)
    places = mirror.Places(dict(os.environ), home, home / ".cache")
    return Supply(found, mirror.provide(lock, found, places).folder, lockfile.under(lock, found.registry))


def make_fickle(folder, *others):
    """A mirror with the test provider, and with what `others` supply."""
    found = find_binary(folder)
    platform = found.platform
    package = folder / FICKLE_ADDRESS / FICKLE_VERSION / platform
    package.mkdir(parents=True)
    program = package / f"terraform-provider-fickle_v{FICKLE_VERSION}"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P "{FICKLE}"\n')
    program.chmod(0o755)
    lock = [Locked(FICKLE_ADDRESS, FICKLE_VERSION, hashes=(package_hash(package),))]
    for supply in others:
        for locked in supply.lock:
            link = folder / locked.address / locked.version / platform
            link.parent.mkdir(parents=True)
            link.symlink_to(mirror.package(supply.folder, locked, platform))
            lock.append(locked)
    return Supply(found, folder, tuple(lock))


class Walk:
    """One way through a root, and the steps that were seen on it."""

    def __init__(self, lab, terraform, root, steps=None):
        self.lab, self.terraform, self.root = lab, terraform, root
        self.steps = [] if steps is None else steps

    @property
    def path(self):
        return self.root.path

    @property
    def is_served(self):
        return self.terraform.serving is not None

    def at(self, unit, wired):
        """The same walk in another root: a unit as it is rendered, with these inputs of it."""
        source = self.lab.units / unit
        return Walk(self.lab, self.terraform, self.lab.lay_unit(source, wired), self.steps)

    def saw(self, name, result, **documents):
        said = sorted((one.severity, one.summary, one.detail, one.address, one.place) for one in result.diagnostics)
        made = {key: self.lab.level(one) for key, one in documents.items()}
        self.steps.append(Step(name, result.exit_code, result.has_changes, self.lab.level(said), made))
        return result

    def init(self):
        return self.saw("init", self.terraform.init(self.root))

    def validate(self):
        return self.saw("validate", self.terraform.validate(self.root))

    def plan(self, name, stop=None, **options):
        """The plan's file, None where there is none."""
        file = self.path / f"{name}.plan"
        result = replace(self.terraform, stop=stop).plan(self.root, PlanOptions(out=file, **options))
        self.saw(name, result, **({"plan": self.show(file)} if result.is_ok else {}))
        return file if result.is_ok else None

    def apply(self, name, file, on_event=None, stop=None):
        result = replace(self.terraform, stop=stop).apply(self.root, file, watch=Watch(on_event))
        return self.saw(name, result, state=self.state())

    def state(self):
        """As it was written; where that is elsewhere, as Terraform shows it."""
        file = self.path / "terraform.tfstate"
        return json.loads(file.read_text()) if file.exists() else self.show()

    def make(self, name, on_event=None, stop=None, **options):
        """Plan and, where that succeeds, apply."""
        file = self.plan(f"{name}: plan", **options)
        return file and self.apply(name, file, on_event, stop)

    def console(self, name, expression):
        """What the console prints, or the error with which it ends."""
        try:
            said = self.terraform.console(self.root, expression)
        except NgpError as error:
            said = str(error)
        self.saw(name, Result(0), said={"console": said})

    def test(self, name):
        """Terraform's own tests of the root, with what it tells of each run."""
        told = {"test_run": [], "test_file": [], "test_summary": []}

        def note(event):
            if isinstance(event, UnknownEvent) and event.kind in told:
                one = event.document[event.kind]
                if "elapsed" not in one:  # how far a long one has come is told by the clock
                    told[event.kind].append(one)

        result = self.terraform.test(self.root, watch=Watch(note))
        self.saw(name, result, told=told)

    def show(self, file=None):
        return self.terraform._json(self.root, commands.show(self.terraform.binary.argv, file), Watch())

    def live(self):
        """The whole life of a root: made, looked at again, destroyed."""
        self.init()
        self.validate()
        if self.make("made"):
            self.plan("again")
            self.make("gone", destroy=True)


class Lab:
    """One root, walked by both ways. Without an `emulator` (its workspace and address) there is no account.

    What is compared is compared exactly where there is no account to make up ids.
    """

    def __init__(self, path, supply, emulator=None):
        self.path, self.supply, self.emulator = path, supply, emulator
        self.units = ROOT / "environments" / "dev" / "units"
        self.notes, self.extra, self.has_crash = [], {}, False

    @property
    def url(self):
        return self.emulator[1]

    @property
    def environ(self):
        aws = access.sandbox({}, self.url, REGION, ACCOUNT) if self.emulator else {}
        return child_environ.build(dict(os.environ), aws) | self.extra

    def level(self, document):
        words = [(str(self.path), "ROOT"), *([(self.url, "URL")] if self.emulator else [])]
        return level(document, random=self.emulator is not None, crash=self.has_crash, words=words)

    def lay(self, text="", **texts):
        """A root of these files and nothing else, on a local state."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir(parents=True)
        for name, one in {"main": text, **texts}.items():
            (self.path / f"{name}.tf").write_text(textwrap.dedent(one))
        (self.path / "required.tf.json").write_text(self.supply.required())
        (self.path / lockfile.NAME).write_text(lockfile.render(self.supply.lock))
        return Root(self.path, self.path / ".terraform")

    def lay_unit(self, source, wired):
        """A copy of a rendered root in a folder of its own, on a local state."""
        path = self.path / source.name
        shutil.copytree(source, path, ignore=shutil.ignore_patterns(".terraform", "wired.auto.tfvars.json"))
        called = {"source": str(ROOT / "modules" / source.name)}
        override = {"terraform": {"backend": {"local": {}}}, "module": {source.name: called}}
        (path / "local_override.tf.json").write_text(json.dumps(override))
        (path / "wired.auto.tfvars.json").write_text(json.dumps(wired))
        (path / lockfile.NAME).write_text(lockfile.render(self.supply.lock))
        return Root(path, path / ".terraform")

    @contextmanager
    def terraform(self, *, served):
        found, folder = self.supply.binary, self.supply.folder
        if not served:
            yield driver.Terraform(found, self.environ, folder)
            return
        packages = serving.find_packages(self.supply.lock, found.platform, folder)
        cache = Path(os.environ["HOME"]) / ".cache"
        with serving.open_serving(packages, self.environ, {}, cache, self.notes.append) as way:
            assert way is not None, self.notes
            yield driver.Terraform(found, self.environ, folder, way)

    def visit(self, walk, text="", *, served, **texts):
        """Walk once, in an empty account; return the steps."""
        if self.emulator:
            server.reset(self.emulator[0])
        root = self.lay(text, **texts)
        with self.terraform(served=served) as terraform:
            made = Walk(self, terraform, root)
            walk(made)
        assert not [one for one in self.notes if one.startswith("without")], "the proxy gave up"
        return made.steps

    def both(self, walk, text="", **texts):
        """Walk plainly and through the proxy; return what was seen."""
        return [self.visit(walk, text, served=served, **texts) for served in (False, True)]
