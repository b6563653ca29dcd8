"""The pager: who gets one, which one, and what happens when it ends early or is not there."""

import os
import pty
import subprocess
import sys
from dataclasses import replace

import pytest

from ngp import settings
from ngp.views import pager

SCRIPT = """
from ngp import settings
from ngp.views import pager
with pager.paged(settings.read()):
    for number in range({lines}):
        print(f"line {{number}}")
print("after")
"""


def _settings(environ, *, interactive=True, terminal=True):
    environ = {"PATH": "/usr/bin:/bin", **environ}
    return replace(settings.read(), environ=environ, is_interactive=interactive, stdout_is_terminal=terminal)


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"PAGER": "sort -r"}, ("sort", "-r")),
        ({"PAGER": "sort", "NGP_PAGER": "head -n 1"}, ("head", "-n", "1")),
        ({"PAGER": "sort", "NGP_PAGER": ""}, ()),
        ({"PAGER": "cat"}, ()),
        ({"PAGER": "no-such-program"}, ()),
    ],
)
def test_the_pager_follows_the_variables(environ, words):
    assert pager.command(_settings(environ)) == words


def test_only_a_person_at_a_terminal_gets_a_pager():
    assert pager.command(_settings({"PAGER": "sort"}, interactive=False)) == ()
    assert pager.command(_settings({"PAGER": "sort"}, terminal=False)) == ()


def _on_terminal(lines, **env):
    ours, theirs = pty.openpty()
    argv = [sys.executable, "-c", SCRIPT.format(lines=lines)]
    env = {**os.environ, "LINES": "20", "COLUMNS": "80", **env}
    process = subprocess.Popen(argv, env=env, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    said = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:
            break
        said += piece
    os.close(ours)
    return process.wait(), said.decode().split("\r\n")


def test_long_text_goes_through_the_pager():
    code, lines = _on_terminal(30, NGP_PAGER="sed s/line/paged/")
    assert code == 0
    assert lines[0] == "paged 0"
    assert lines[-2:] == ["after", ""]


def test_short_text_does_not():
    assert _on_terminal(10, NGP_PAGER="sed s/line/paged/")[1][0] == "line 0"


def test_a_pager_that_is_left_early_is_no_fault():
    code, lines = _on_terminal(100000, NGP_PAGER="head -n 2")
    assert (code, lines[:3]) == (0, ["line 0", "line 1", "after"])


def test_a_pager_that_fails_loses_nothing():
    code, lines = _on_terminal(30, NGP_PAGER="false")
    assert code == 0
    assert "line 29" in lines
