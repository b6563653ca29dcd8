"""The wheel with the oldest and the newest libraries that pyproject.toml allows, without our constraints."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from itertools import product
from pathlib import Path

import pytest

from tests.integration.install.wheels import ROOT, run
from tests.prerequisites import missing

PYTHONS = ("3.11", "3.12", "3.13")
RESOLUTIONS = ("lowest-direct", "highest")
ENDS = (
    ("3.11", "lowest-direct"),
    ("3.13", "highest"),
)  # the oldest and the newest of all; `make test-all` runs the others
TESTED_AGAIN = ["tests/unit/cli", "tests/unit/environments/test_commands.py"]  # how options are read
# asked here, before a test has a HOME of its own
UV = shutil.which("uv", path=Path(sys.executable).parent)
_PYENV = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
_CACHE = os.environ.get("UV_CACHE_DIR") or str(Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "uv")

pytestmark = [pytest.mark.slow, pytest.mark.terraform]


def _interpreter(version: str) -> Path | None:
    """A Python of this version on PATH, else one of pyenv's, whose shims run only the versions that are switched on."""
    places = [shutil.which(f"python{version}"), *sorted(_PYENV.glob(f"versions/{version}.*/bin/python"), reverse=True)]
    for place in filter(None, places):
        asked = subprocess.run([place, "-c", "import sys; print(sys.version)"], capture_output=True, text=True)
        if asked.returncode == 0 and asked.stdout.startswith(f"{version}."):
            return Path(place)
    return None


def _lower_bounds() -> dict[str, str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["sandbox"]]
    bounds = [re.match(r"([\w.-]+)(?:\[\w+\])?[>=]=([\d.]+)", each) for each in wanted]
    assert all(bounds), "every dependency has a lower bound"
    return {match[1].replace(".", "-"): match[2] for match in bounds if match}


def _is(version: str, bound: str) -> bool:
    """14.0.0 is what `>=14` begins with."""
    return re.sub(r"(\.0)+$", "", version) == re.sub(r"(\.0)+$", "", bound)


def _matrix():
    for pair in product(PYTHONS, RESOLUTIONS):
        yield pytest.param(pair, marks=() if pair in ENDS else pytest.mark.whole, id="-".join(pair))


@pytest.fixture(scope="module", params=_matrix())
def installed(request, wheel, tmp_path_factory) -> Path:
    """The folder of the programs of a new environment that has the wheel with these libraries."""
    version, resolution = request.param
    python = _interpreter(version)
    if UV is None:
        missing("uv (make setup)")
    if python is None:
        missing(f"Python {version} (on PATH, or one of pyenv's)")
    home = tmp_path_factory.mktemp("venv")
    more = {"UV_CACHE_DIR": _CACHE, "UV_PYTHON_DOWNLOADS": "never", "VIRTUAL_ENV": str(home)}
    run(UV, "venv", "--quiet", "--clear", "--python", python, home, cwd=home, **more)
    libraries = ["--resolution", resolution, "--requirements", ROOT / "pyproject.toml", "--extra", "sandbox"]
    run(UV, "pip", "install", "--quiet", *libraries, cwd=home, **more)
    run(UV, "pip", "install", "--quiet", "--no-deps", wheel, cwd=home, **more)
    run(UV, "pip", "check", "--quiet", cwd=home, **more)
    if resolution == "lowest-direct":
        listed = json.loads(run(UV, "pip", "list", "--format", "json", cwd=home, **more).stdout)
        found = {each["name"].replace(".", "-"): each["version"] for each in listed}
        assert {name: found[name] for name, bound in _lower_bounds().items() if not _is(found[name], bound)} == {}
    return home / "bin"


def test_installed_ngp_goes_from_an_empty_folder_to_a_plan(installed, tmp_path):
    def ngp(*argv: str, code: int = 0, cwd: Path = tmp_path / "acme") -> subprocess.CompletedProcess[str]:
        return run(installed / "ngp", *argv, cwd=cwd, code=code)

    assert "`ngp plan` has no option `--nope`" in ngp("plan", "--nope", cwd=tmp_path, code=64).stderr
    ngp("init", "acme", cwd=tmp_path)
    ngp("env", "new", "dev", "--sandbox", "--region", "eu-central-1", "--domain", "dev.example.com")
    ngp("configure", "dev", "--module", "ecr", "--dummies", "--no-input")
    ngp("render", "dev")
    ngp("render", "--check")
    ngp("validate", "dev")
    try:
        document = json.loads(ngp("plan", "dev", "--json").stdout)
    finally:
        ngp("sandbox", "stop")
    assert [unit["unit"] for unit in document["units"]] == ["network", "ecr"]  # the second needs the first


@pytest.mark.parametrize("installed", ENDS, ids="-".join, indirect=True)
def test_the_command_line_means_the_same(installed, tmp_path):
    """Each version of Typer reads options in its own way, so the tests of the command line run again."""
    more = {"UV_CACHE_DIR": _CACHE, "UV_PYTHON_DOWNLOADS": "never", "VIRTUAL_ENV": str(installed.parent)}
    tools = [f"{name}=={_version(name)}" for name in ("pytest", "pytest-timeout", "hypothesis")]
    run(UV, "pip", "install", "--quiet", *tools, cwd=tmp_path, **more)
    argv = [
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        ROOT,
        *TESTED_AGAIN,
        "-k",
        "not nothing_heavy",
    ]  # Typer 0.29 loads pydantic
    done = run(installed / "python", *argv, "--basetemp", tmp_path / "tests", cwd=ROOT, PYTHONDONTWRITEBYTECODE="1")
    assert " passed" in done.stdout
    assert " skipped" not in done.stdout


def _version(name: str) -> str:
    from importlib.metadata import version

    return version(name)
