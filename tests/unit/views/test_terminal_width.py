"""How wide lines are: what COLUMNS says, as long as a table fits into it."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios

import pytest

from ngp.views import terminal

WIDTHS = """
import pathlib
from ngp import settings
from ngp.views import terminal
found = settings.read()
pathlib.Path("widths").write_text(f"{terminal.err(found).width} {terminal.live(found).width}")
"""


@pytest.mark.parametrize(
    ("columns", "width"), [(None, 120), ("100", 100), ("20", 60), ("0", 120), ("-5", 120), ("wide", 120), ("²", 120)]
)
def test_no_width_is_too_small_for_a_table(surroundings, columns, width):
    environ = {} if columns is None else {"COLUMNS": columns}
    assert terminal.out(surroundings(**environ)).width == width
    assert terminal.err(surroundings(**environ)).width == width


@pytest.mark.parametrize(("cells", "columns", "width", "live"), [(90, "", 90, 90), (20, "", 60, 20), (90, "0", 90, 90)])
def test_a_terminal_says_its_width_and_the_display_keeps_to_it(tmp_path, cells, columns, width, live):
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, cells, 0, 0))
    environ = {**os.environ, **({"COLUMNS": columns} if columns else {})}
    streams = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
    subprocess.run([sys.executable, "-c", WIDTHS], cwd=tmp_path, env=environ, timeout=60, check=True, **streams)
    assert (tmp_path / "widths").read_text() == f"{width} {live}"
    os.close(ours)
    os.close(theirs)


@pytest.mark.parametrize("columns", ["0", "20"])
def test_a_table_has_all_its_columns_however_narrow(ngp, columns):
    shown = ngp.call("module", "list", env={"COLUMNS": columns})
    assert shown.exit_code == 0
    for heading in ("module", "category", "status", "what it creates"):
        assert heading in shown.stdout.splitlines()[0]
