from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

VARIABLE = 'variable "text" {\n  description = "Any."\n  type        = string\n}\n'


def snapshot(path: Path) -> dict[str, bytes]:
    return {
        str(each.relative_to(path)): each.read_bytes()
        for each in path.rglob("*")
        if each.is_file() and ".ngp" not in each.parts
    }


def render(path: Path, **more) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "ngp", "render", "--json"]
    return subprocess.run(argv, cwd=path, capture_output=True, text=True, check=False, env=dict(os.environ), **more)


def prepare(platform) -> None:
    platform.module("echo", VARIABLE, dummy='text = "x"\n')
    platform.environment("{echo: {}}")
    platform.write({"environments/dev/terraform.tfvars": 'echo = {\n  text = "small"\n}\n'})


@pytest.fixture
def small_disk(tmp_path):
    """A real file system of 512 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.slow
def test_full_disk_leaves_the_tree_as_it_was(small_disk, platform):
    prepare(platform)
    shutil.copytree(platform.path, small_disk, dirs_exist_ok=True, ignore=lambda *_: ["disk"])
    assert render(small_disk).returncode == 0
    text = "x" * 120_000
    (small_disk / "environments/dev/terraform.tfvars").write_text(f'echo = {{\n  text = "{text}"\n}}\n')
    filler = small_disk / "filler"
    with filler.open("wb") as file:
        free = shutil.disk_usage(small_disk).free
        file.write(b"\0" * (free - 40_000))
    before = snapshot(small_disk)
    result = render(small_disk)
    assert result.returncode == 1
    assert "No space left on device; nothing was changed" in json.loads(result.stdout)["error"]["findings"][0]["why"]
    assert snapshot(small_disk) == before
    filler.unlink()
    assert render(small_disk).returncode == 0


@pytest.mark.slow
def test_limit_on_file_sizes_leaves_the_tree_as_it_was(platform):
    prepare(platform)
    assert render(platform.path).returncode == 0
    text = "x" * 300_000
    platform.write({"environments/dev/terraform.tfvars": f'echo = {{\n  text = "{text}"\n}}\n'})
    before = snapshot(platform.path)

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    result = render(platform.path, preexec_fn=limit)
    assert result.returncode == 1
    assert "File too large" in result.stderr
    assert snapshot(platform.path) == before
