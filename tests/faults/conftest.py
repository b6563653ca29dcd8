"""How often something is killed (`--kills`), and the table of what was left."""

import pytest

from tests.faults import lab

_KILLS = []
_HEAD = f"{'killed':10}{'proxy':7}{'kills':>6}{'locks':>7}{'lost':>6}{'processes':>11}{'recovered':>11}"


@pytest.fixture
def lay(tmp_path, ngp_in, sandbox):
    """`lay(name)` makes a chain of its own."""
    made = []

    def make(name, **options):
        (tmp_path / name).mkdir()
        made.append(lab.lay_chain(tmp_path / name, ngp_in, sandbox, **options))
        return made[-1]

    yield make
    for chain in made:  # nothing of a failed test goes on
        chain.end()


@pytest.fixture
def record():
    """`record(kill)` puts a kill into the table."""
    return _KILLS.append


def pytest_terminal_summary(terminalreporter):
    if _KILLS:
        terminalreporter.section(f"kills at random moments of an apply of {lab.RESOURCES} resources")
        terminalreporter.line(_HEAD)
        for victim, proxy in sorted({(one.victim, one.proxy) for one in _KILLS}):
            these = [one for one in _KILLS if (one.victim, one.proxy) == (victim, proxy)]
            counts = (len([one for one in these if one.locks]), len([one for one in these if one.lost]))
            tail = (len([one for one in these if one.processes]), len([one for one in these if one.recovered]))
            terminalreporter.line(
                f"{victim:10}{'on' if proxy else 'off':7}{len(these):>6}{counts[0]:>7}{counts[1]:>6}"
                f"{tail[0]:>11}{tail[1]:>11}"
            )
