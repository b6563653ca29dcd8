"""An installed ngp, from a wheel in an environment of its own, makes a platform that it can work with."""

from __future__ import annotations

import json
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.integration.install.wheels import ROOT, build, build_from, pack, run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def ngp(wheel, tmp_path_factory) -> Path:
    """The command of a new virtual environment; the dependencies are those of the Python that runs the tests."""
    home = tmp_path_factory.mktemp("venv")
    run(sys.executable, "-m", "venv", home, cwd=home)
    python = home / "bin/python"
    run(python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=home)
    packages = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=home).stdout.strip()
    Path(packages, "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    found = run(python, "-c", "import ngp; print(ngp.__file__)", cwd=home).stdout.strip()
    assert Path(found).is_relative_to(packages)
    return home / "bin/ngp"


def test_wheel_carries_the_catalogue_the_templates_and_the_lock(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for folder in ("modules", "templates"):
        carried = {path for path in (ROOT / folder).rglob("*") if path.is_file()}
        expected = {f"ngp/_shipped/{path.relative_to(ROOT)}" for path in carried if path.name[0] != "."}
        assert expected <= {name for name in names if "__pycache__" not in name} | {
            name for name in expected if ".terraform/" in name
        }
    assert "ngp/_shipped/terraform.lock.hcl" in names
    assert {path.relative_to(ROOT).as_posix() for path in (ROOT / "ngp_emulator").glob("*.py")} <= names


def test_source_distribution_makes_the_same_wheel_and_carries_nothing_else(tmp_path):
    source, packed, out, direct = (tmp_path / name for name in ("source", "packed", "out", "direct"))
    for folder in (source, packed, out, direct):
        folder.mkdir()
    expected = build(source, direct)
    for name in ("tests/unit/modules/test_one.py", "bench/ngp/one.py", "tests/README.md"):
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    archive = pack(source, packed)
    with tarfile.open(archive) as members:
        carried = {name.split("/")[1] for name in members.getnames()}
    assert carried.isdisjoint({"tests", "bench"})
    made = build_from(archive, out)
    with zipfile.ZipFile(made) as one, zipfile.ZipFile(expected) as other:
        assert sorted(one.namelist()) == sorted(other.namelist())


def test_installed_ngp_makes_a_platform_and_renders_it(ngp, tmp_path):
    made = json.loads(run(ngp, "init", "acme", "--json", cwd=tmp_path).stdout)
    platform = tmp_path / "acme"
    assert (made["name"], made["path"]) == ("acme", str(platform))
    assert "modules/network/network.tf" in made["written"]
    run(ngp, "render", "--check", cwd=platform)
    (platform / "environments/dev").mkdir()
    facts = 'target: sandbox\naccount: "123456789012"\nregion: eu-central-1\ndomain: dev.example.com\n'
    (platform / "environments/dev/environment.yaml").write_text(facts + "units: {network: {}}\n")
    values = 'pre_tag  = "acme"\npost_tag = "dev"\n'
    (platform / "environments/dev/terraform.tfvars").write_text(values)
    run(ngp, "render", cwd=platform)
    assert (platform / "environments/dev/units/network/main.tf").is_file()
    run(ngp, "render", "--check", cwd=platform)


def test_configure_py_of_a_new_platform_is_ngp_configure(ngp, tmp_path):
    run(ngp, "init", "acme", cwd=tmp_path)
    entrance = tmp_path / "acme/configure.py"
    assert "ngp configure" in run(sys.executable, entrance, "--help", cwd=tmp_path, PATH=str(ngp.parent)).stdout
    done = run(sys.executable, entrance, cwd=tmp_path, code=69, PATH="")
    assert "ngp is not on PATH" in done.stderr


def test_init_inside_a_platform_is_refused_with_what_was_meant(ngp, tmp_path):
    run(ngp, "init", tmp_path / "acme", "--project", "other", cwd=tmp_path)
    assert "name: other" in (tmp_path / "acme/ngp.yaml").read_text()
    done = run(ngp, "init", "more", cwd=tmp_path / "acme", code=64)
    assert "`ngp plan` initialises Terraform itself" in done.stderr
    assert not (tmp_path / "acme/more").exists()
