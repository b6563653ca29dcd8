#!/usr/bin/env python3
"""The old entrance: the same as `ngp configure`."""

import os
import shutil
import sys
from pathlib import Path

own = Path(__file__).resolve().parent / ".venv" / "bin" / "ngp"
ngp = str(own) if own.is_file() else shutil.which("ngp")
if ngp is None:
    print("error: ngp is not on PATH, and there is no .venv here", file=sys.stderr)
    sys.exit(69)
os.execv(ngp, [ngp, "configure", *sys.argv[1:]])
