"""How far a copy is, host by host."""

import pytest

from ngp.hosts.host import Host
from ngp.hosts.remote import HostCopied, HostResult, HostStarted
from ngp.views import copying


def host(name):
    return Host(name, name, "qa")


@pytest.fixture
def wide(surroundings):
    return surroundings(terminal=True, TERM="xterm", COLUMNS="80", LINES="5")


def test_each_host_at_work_has_a_line_and_the_end_is_counted(wide):
    progress, (first, second, third) = copying.CopyProgress(3, wide), map(host, ("web-1", "web-10", "web-3"))
    for one in (first, second, third):
        progress(HostStarted(one))
    progress(HostCopied(first, 1_500_000, 3_000_000))
    progress(HostResult(third, 0, 1.0))
    assert progress.table().plain.splitlines() == [
        "web-1   1.5 MB of 3.0 MB, 50 %",
        "web-10  …",
        "1 of 3 hosts done",
    ]


def test_no_more_lines_than_the_terminal_has(wide, monkeypatch):
    progress = copying.CopyProgress(9, wide)
    monkeypatch.setattr(type(progress._console), "size", (30, 5))
    for number in range(9):
        progress(HostCopied(host(f"{number}\x1b[2J" + "x" * 40), 1, 2))
    lines = progress.table().plain.splitlines()
    assert lines[-1] == "0 of 9 hosts done, 6 more at w"
    assert (len(lines), {len(line) for line in lines}) == (4, {30})
    assert "\x1b" not in progress.table().plain


def test_sizes():
    said = [copying.size(count) for count in (0, 999, 1000, 1_234_567, 5 * 10**9, 10**16)]
    assert said == ["0 B", "999 B", "1.0 kB", "1.2 MB", "5.0 GB", "10000.0 TB"]


def test_only_a_terminal_without_quiet_shows_it(surroundings, capsys):
    for settings in (surroundings(), surroundings(terminal=True, TERM="xterm", NGP_LOG_LEVEL="error")):
        with copying.CopyProgress(1, settings) as progress:
            progress(HostCopied(host("web"), 1, 2))
    assert capsys.readouterr() == ("", "")
    with copying.CopyProgress(1, surroundings(terminal=True, TERM="xterm")) as progress:
        progress(HostCopied(host("web"), 1, 2))
    assert "1 B of 2 B, 50 %" in capsys.readouterr().err
