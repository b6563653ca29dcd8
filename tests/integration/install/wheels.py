"""The wheel of this repository, and programs run as a user who installed it runs them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
_FOLDERS = ("ngp", "ngp_emulator", "modules", "templates")
_CARRIED = (*_FOLDERS, "pyproject.toml", "LICENSE", ".terraform.lock.hcl", "README.md")


def run(*argv: str | Path, cwd: Path, code: int = 0, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a program without this repository on Python's path; fail if it ends with another code."""
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    env |= more
    done = subprocess.run([*map(str, argv)], cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == code, f"{argv}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done


def build(source: Path, out: Path) -> Path:
    """Build the wheel from a copy of what is in the repository, so that nothing of the build stays there."""
    ignored = shutil.ignore_patterns("__pycache__", ".terraform")
    for name in _CARRIED:
        path = ROOT / name
        if path.is_dir():
            shutil.copytree(path, source / name, ignore=ignored)
        else:
            shutil.copy(path, source / name)
    return build_from(source, out)


def build_from(source: Path, out: Path) -> Path:
    """Build the wheel from a folder or a source distribution."""
    argv = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", out, source]
    run(*argv, cwd=out)
    return next(out.glob("*.whl"))


def pack(source: Path, out: Path) -> Path:
    """Make the source distribution of a folder."""
    code = f"from hatchling import build; print(build.build_sdist({str(out)!r}))"
    return out / run(sys.executable, "-c", code, cwd=source).stdout.split()[-1]
