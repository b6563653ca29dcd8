"""Process requests for ngp's own programs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import ngp
from ngp.processes import ProcessRequest

_KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "LD_LIBRARY_PATH")


def request(program: ModuleType, *words: str, folder: Path, environ: Mapping[str, str]) -> ProcessRequest:
    """Return the request for ``python -m PROGRAM WORDS`` in `folder`.

    The program is an imported module or package, never a name: import-linter sees who starts what.
    """
    path = str(Path(ngp.__file__).parents[1])
    return ProcessRequest(
        (sys.executable, "-P", "-m", program.__name__, *words), folder, {**environ, "PYTHONPATH": path}
    )


def bare(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables that Python itself needs, without credentials."""
    return {name: value for name, value in environ.items() if name in _KEPT}
