#!/usr/bin/env python3
"""Runs `ngp configure` with the same arguments: choose the modules of an environment and answer what they need."""

import sys

try:
    from ngp.cli import run
except ImportError as error:
    raise SystemExit(f"{error}; `make setup` installs what ngp needs, then: .venv/bin/python configure.py") from None

if __name__ == "__main__":
    raise SystemExit(run(["configure", *sys.argv[1:]]))
