"""The entrance: `ngp` and `python -m ngp`. `--version` is answered before anything is loaded."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    if sys.argv[1:] == ["--version"]:
        from ngp import __version__

        print(f"ngp {__version__}")
        return
    from ngp import cli

    sys.exit(cli.run())


if __name__ == "__main__":
    main()
