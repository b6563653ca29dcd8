"""Roots of the shipped catalogue, held against real Terraform and the real provider, by ngp and by hand."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ngp import files, shipped
from ngp.catalogue import loading
from ngp.environments import drafting, drafts, platforms, resolving
from ngp.rendering import dummies, roots
from ngp.terraform import binary, lockfile, mirror

pytestmark = [pytest.mark.terraform, pytest.mark.slow]


@pytest.fixture(scope="module")
def chosen() -> dict[str, str]:
    """As many modules of the catalogue as go together."""
    modules = loading.load(shipped.modules()).modules
    names: list[str] = []
    for name, module in sorted(modules.items(), reverse=True):  # Swarm before DC/OS, which is legacy
        others = {each for other in names for each in modules[other].manifest.conflicts}
        if name not in others and not set(module.manifest.conflicts) & set(names):
            names.append(name)
    return {name: name for name in names}


@pytest.fixture
def whole(platform, chosen):
    """An environment with the whole catalogue, its values those of ``terraform.tfvars.dummy``."""
    shutil.copytree(shipped.modules(), platform.path / "modules", ignore=shutil.ignore_patterns(".terraform*"))
    shutil.copy(shipped.lock_file(), platform.path)
    platform.environment("{}")
    for path in (platform.path / "modules").iterdir():
        if path.name not in chosen:
            shutil.rmtree(path)  # its dummies are values of no unit here
    dummy = dummies.render(loading.load(platform.path / "modules"))
    platform.write({"environments/dev/terraform.tfvars": dummy, dummies.FILE: dummy, ".gitignore": ".ngp\n"})
    subject = drafts.read(platforms.load(platform.path), "dev")
    draft = drafting.prepare(subject, drafts.Choice(units=chosen))
    assert not draft.questions
    files.write_all(dict(draft.files))
    return platform


@pytest.fixture
def init(terraform):
    """`terraform init` as plain Terraform does it, with the packages of this machine."""
    environ = {name: value for name, value in os.environ.items() if name != "TF_CLI_CONFIG_FILE"}
    home, cache = Path.home(), Path.home() / ".cache" / "ngp"
    platform = binary.find("", "", environ, cwd=Path.cwd(), cache=cache).platform
    found = mirror.find(lockfile.load(shipped.lock_file()), platform, mirror.Places(environ, home, cache))
    source = [f"-plugin-dir={found.folder}"] if found and found.folder else []

    def init(root: Path) -> None:
        terraform("init", "-input=false", "-backend=false", "-lockfile=readonly", *source, cwd=root)

    return init


@pytest.mark.parametrize("more", ["state: per-module", "state: single"])
def test_rendered_files_are_formatted_and_valid(whole, terraform, ngp_in, more):
    path = whole.path / "environments/dev/environment.yaml"
    path.write_text(path.read_text() + more + "\n")
    rendered = whole.render()
    terraform("fmt", "-check", "-diff", "-recursive", "environments", cwd=whole.path)
    before = {each: (whole.path / each).read_bytes() for each in rendered}
    done = ngp_in(whole.path).call("validate", "dev")
    folders = {each.parent for each in rendered}
    assert (done.exit_code, f"checked {len(folders)} root" in done.stderr + done.stdout) == (0, True), done.stderr
    assert {each: (whole.path / each).read_bytes() for each in rendered} == before


def test_dummies_are_formatted_and_make_an_environment(whole, chosen, terraform):
    text = (whole.path / dummies.FILE).read_text()
    terraform("fmt", "-check", "-diff", "-", cwd=whole.path, stdin=text)
    resolved = resolving.resolve(platforms.load(whole.path), "dev")
    assert set(resolved.bindings) == set(chosen)


def test_pinned_roots_call_the_copies_and_are_the_same_bytes_for_the_same_commit(whole, terraform, init):
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "init.defaultBranch=main"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"], ["tag", "v1"]):
        subprocess.run([*git, *words], cwd=whole.path, check=True)
    path = whole.path / "environments/dev/environment.yaml"
    path.write_text(path.read_text() + "catalogue: v1\n")
    first = whole.render()
    (whole.path / "modules/network/network.tf").write_text("garbage, but not in the commit\n")
    shutil.rmtree(whole.path / "modules/openvpn")
    assert dict(roots.render(whole.resolve())) == first
    init(whole.root("openvpn"))
    terraform("validate", cwd=whole.root("openvpn"))
