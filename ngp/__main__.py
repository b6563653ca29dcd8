"""The entrance: `ngp` and `python -m ngp`. What can be answered before anything is loaded is answered here."""

from __future__ import annotations

import os
import sys

# Those that change nothing in a region, and ask nobody anything: a question needs the terminal's own process
_ERRANDS = frozenset({"plan", "graph", "output", "status", "render", "validate"})


def main() -> None:
    """Run the command line and exit with its code."""
    code = answer()
    try:
        for stream in filter(None, (sys.stdout, sys.stderr)):  # one that was closed from the start is None
            stream.flush()
    except OSError:
        sys.exit(code)
    os._exit(code)  # to take apart what was loaded takes a tenth of a second, and everything is closed


def answer() -> int:
    """Run the command line and return its exit code."""
    argv = sys.argv[1:]
    if argv == ["--version"]:
        from ngp import __version__

        print(f"ngp {__version__}")
        return 0
    record = _pool() if argv and argv[0] in _ERRANDS else ""
    if record:
        from ngp import errand

        code = errand.run(record, argv)
        if code is not None:
            return code
    from ngp import cli

    return cli.run()


def _pool() -> str:
    """The record of the pool of the platform that this folder is in; "" where none was started."""
    folder = os.getcwd()
    while not os.path.exists(os.path.join(folder, "ngp.yaml")):
        if folder == os.path.dirname(folder):
            return ""
        folder = os.path.dirname(folder)
    record = os.path.join(folder, ".ngp", "pool", "record.json")
    return record if os.path.exists(record) else ""


if __name__ == "__main__":
    main()
