"""Distinguishes a Terraform binary from scripts and shims of version managers."""

from __future__ import annotations

import mmap
from pathlib import Path

_ELF = (b"\x7fELF",)
_MACH_O = (b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")  # one architecture, several
# What the Go linker writes into every program: the path of its main package (debug/buildinfo)
_MAIN = (b"path\tgithub.com/hashicorp/terraform\n", b"path\tgithub.com/opentofu/opentofu/cmd/tofu\n")


def is_real(program: Path) -> bool:
    """Whether a file is Terraform or OpenTofu itself, so that its version changes only with the file.

    A shim may be an executable of its own (tenv, mise). Uncertain files count as shims.
    """
    try:
        with program.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content[:4] in _ELF + _MACH_O and any(content.find(path) >= 0 for path in _MAIN)
    except (OSError, ValueError):  # an empty file cannot be mapped
        return False
