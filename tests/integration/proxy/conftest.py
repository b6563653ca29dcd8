"""The same root walked twice in an empty account, plainly and through the proxy, and what Terraform said of it."""

import json
import os
import re
import shutil
import textwrap
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ngp.aws import access
from ngp.sandbox import server
from ngp.terraform import binary, commands, driver, lockfile, mirror, serving, surroundings
from ngp.terraform.commands import PlanOptions
from ngp.terraform.driver import Root, Watch

ROOT = Path(__file__).parents[3]
ACCOUNT, REGION = "123456789012", "eu-central-1"
_RANDOM = [
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00|[+-]\d{4})?( UTC)?"), "TIME"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b(?!/)"), "ADDRESS"),
    (re.compile(r"(?:ip|ec2)-\d+-\d+-\d+-\d+"), "ADDRESS"),
    (
        re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?:(?<=[^0-9a-zA-Z])|^)(?!\d{12}\b)[0-9a-f]{8,}\b"),
        "ID",
    ),
    (re.compile(r"(?<![A-Za-z0-9])(?:Z[A-Z0-9]{9,}|[A-Z0-9]{14,}|[a-z0-9]{20})(?![A-Za-z0-9])"), "ID"),
    (re.compile(r"(?<=-)[A-Za-z0-9]{6}(?=$|\|)"), "ID"),
    (re.compile(r"\b\d{20,}\b"), "ID"),
    (re.compile(r"RequestID: [^,]+"), "RequestID"),
    # Ctrl-C reaches a provisioner's command from the group and from Terraform: either may be first, without a proxy too
    (re.compile(r"signal: (?:killed|interrupt)"), "SIGNAL"),
]
PROVIDER = f"""
provider "aws" {{
  region              = "{REGION}"
  allowed_account_ids = ["{ACCOUNT}"]
}}
"""
REQUIRED = """
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 6"
    }
  }
}
"""


@dataclass
class Walk:
    """What was seen, step by step, random parts taken out."""

    steps: list = field(default_factory=list)

    def saw(self, name, result, **documents):
        said = sorted((one.severity, one.summary, one.detail, one.address) for one in result.diagnostics)
        self.steps.append((name, result.exit_code, result.has_changes, level(said), level(documents)))


def level(value):
    """`value` without what no two runs share."""
    if isinstance(value, dict):
        return {level(key): level(one) for key, one in value.items() if key not in ("timestamp", "lineage", "serial")}
    if isinstance(value, (list, tuple)):
        made = [level(one) for one in value]
        return sorted(made, key=lambda one: json.dumps(one, sort_keys=True))
    if not isinstance(value, str):
        return value
    if value.startswith(("{", "[")):
        try:
            return level(json.loads(value))
        except ValueError:
            pass
    for pattern, name in _RANDOM:
        value = pattern.sub(name, value)
    return value


class Lab:
    """One root in one account, walked by different ways."""

    def __init__(self, path: Path, workspace: Path, url: str, binary: str = "terraform") -> None:
        self.path, self.workspace, self.url, self.binary = path, workspace, url, binary
        self.notes: list[str] = []
        self.extra: dict[str, str] = {}

    @property
    def environ(self):
        return surroundings.child(dict(os.environ), access.sandbox({}, self.url, REGION, ACCOUNT)) | self.extra

    def lay(self, text="", *, source=None, **texts):
        """A root of these files, on a local state; with `source` a copy of a rendered one."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir(parents=True)
        if source is not None:
            shutil.copytree(source, self.path, dirs_exist_ok=True)
            called = {"source": str(ROOT / "modules" / source.name)}
            override = {"terraform": {"backend": {"local": {}}}, "module": {source.name: called}}
            (self.path / "local_override.tf.json").write_text(json.dumps(override))
        else:
            (self.path / "main.tf").write_text(REQUIRED + textwrap.dedent(text))
        for name, one in texts.items():
            (self.path / f"{name}.tf").write_text(textwrap.dedent(one))
        shutil.copyfile(ROOT / ".terraform.lock.hcl", self.path / ".terraform.lock.hcl")
        return Root(self.path, self.path / ".terraform")

    @contextmanager
    def terraform(self, *, served: bool):
        found = binary.find(
            self.binary, "", dict(os.environ), cwd=self.path, cache=Path(os.environ["HOME"]) / ".cache" / "ngp"
        )
        lockfile.readdress(self.path / lockfile.NAME, found.registry)
        lock = lockfile.load(ROOT / ".terraform.lock.hcl")
        home = Path(os.environ["HOME"])
        folder = mirror.provide(lock, found, mirror.Places(dict(os.environ), home, home / ".cache")).folder
        if not served:
            yield driver.Terraform(found, self.environ, folder)
            return
        packages = serving.find_packages(lockfile.under(lock, found.registry), found.platform, folder)
        with serving.open_serving(packages, self.environ, {}, home / ".cache", self.notes.append) as way:
            assert way is not None, self.notes
            yield driver.Terraform(found, self.environ, folder, way)

    def both(self, walk, *args, **files):
        """Walk plainly and through the proxy, each time in an empty account; return what was seen."""
        seen = []
        for served in (False, True):
            server.reset(self.workspace)
            root = self.lay(*args, **files)
            with self.terraform(served=served) as terraform:
                seen.append(walk(terraform, root))
        assert self.notes == [], "the proxy gave up"
        return seen


def show(terraform, root, file=None):
    return terraform._json(root, commands.show(terraform.binary.argv, file), Watch())


def plan(terraform, root, walk, name, *, destroy=False):
    file = root.path / f"{name}.plan"
    result = terraform.plan(root, PlanOptions(out=file, destroy=destroy))
    walk.saw(name, result, **({"plan": show(terraform, root, file)} if result.is_ok else {}))
    return file if result.is_ok else None


def apply(terraform, root, walk, name, file):
    walk.saw(name, terraform.apply(root, file), state=show(terraform, root))


def live(terraform, root, *, destroy=True):
    """The whole life of a root: made, looked at again, destroyed."""
    walk = Walk()
    walk.saw("init", terraform.init(root))
    walk.saw("validate", terraform.validate(root))
    file = plan(terraform, root, walk, "first")
    if file is None:
        return walk.steps
    apply(terraform, root, walk, "apply", file)
    plan(terraform, root, walk, "again")
    if not destroy:
        return walk.steps
    file = plan(terraform, root, walk, "destroy", destroy=True)
    if file is not None:
        apply(terraform, root, walk, "gone", file)
    return walk.steps


def require_equal(seen):
    plain, served = seen
    assert [step[:3] for step in served] == [step[:3] for step in plain]
    for one, other in zip(plain, served, strict=True):
        assert differences(one[3:], other[3:], one[0]) == []


def differences(plain, served, where):
    """Every leaf in which the two differ."""
    if isinstance(plain, dict) and isinstance(served, dict):
        keys = sorted({*plain, *served})
        return [one for key in keys for one in differences(plain.get(key), served.get(key), f"{where}.{key}")]
    if isinstance(plain, (list, tuple)) and isinstance(served, (list, tuple)) and len(plain) == len(served):
        pairs = enumerate(zip(plain, served, strict=True))
        return [one for at, (a, b) in pairs for one in differences(a, b, f"{where}[{at}]")]
    return [] if plain == served else [f"{where}: {plain!r} != {served!r}"]


Lab.PROVIDER, Lab.Walk, Lab.ROOT = PROVIDER, Walk, ROOT
for function in (live, plan, apply, show, require_equal):
    setattr(Lab, function.__name__, staticmethod(function))


@pytest.fixture(scope="module")
def emulator(tmp_path_factory):
    workspace = tmp_path_factory.mktemp("emulator") / ".ngp"
    running = server.start(workspace, dict(os.environ))
    yield workspace, running.url
    server.stop(workspace)


@pytest.fixture
def make_lab(tmp_path, emulator):
    """`make_lab(binary)` for the binary that `ngp.yaml` would name so."""
    return lambda binary: Lab(tmp_path / "root", *emulator, binary)


@pytest.fixture
def lab(make_lab):
    return make_lab("terraform")
