"""Entry point of `ngp` and `python -m ngp`. Answers what it can before anything else is loaded."""

from __future__ import annotations

import os
import sys

from ngp import stdio


def main() -> None:
    """Run the command line and exit with its code."""
    stdio.prepare()
    try:
        code = answer()
    except KeyboardInterrupt:  # while ngp was still being loaded
        sys.stderr.write("error: interrupted\n")
        code = 130
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = code or 141
    except OSError as error:
        if not code:  # else it was reported
            sys.stderr.write(f"error: cannot write to stdout: {error.strerror}\n")
        code = code or 1
    sys.stderr.flush()
    os._exit(code)  # to take apart what was loaded takes a tenth of a second, and everything is closed


def answer() -> int:
    """Run the command line and return its exit code."""
    argv = sys.argv[1:]
    if argv == ["--version"]:
        from ngp import __version__

        print(f"ngp {__version__}")
        return 0
    record = _pool() if argv else ""
    if record:
        from ngp.daemons import client

        code = client.run(record, argv)
        if code is not None:
            return code
    from ngp import cli

    return cli.run()


def _pool() -> str:
    """Return the record of the pool of the platform around this folder, "" if none was started."""
    try:
        folder = os.getcwd()
    except OSError:  # it was deleted
        return ""
    while not os.path.exists(os.path.join(folder, "ngp.yaml")):
        if folder == os.path.dirname(folder):
            return ""
        folder = os.path.dirname(folder)
    record = os.path.join(folder, ".ngp", "pool", "record.json")
    return record if os.path.exists(record) else ""


if __name__ == "__main__":
    main()
