"""How often something is killed (`--kills`), and the table of what was left."""

import pytest

from tests.faults import lab

_KILLS = []
_HEAD = ("killed", "proxy", "states", "kills", "locks", "unsaved", "named", "processes", "recovered")
_ROW = "{:10}{:7}{:8}{:>6}{:>7}{:>9}{:>7}{:>11}{:>11}"


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
        terminalreporter.line(_ROW.format(*_HEAD))
        for key in sorted({_key(one) for one in _KILLS}):
            these = [one for one in _KILLS if _key(one) == key]
            facts = ("locks", "unsaved", "lost", "processes", "recovered")
            counts = [len([one for one in these if getattr(one, fact)]) for fact in facts]
            terminalreporter.line(_ROW.format(*key, len(these), *counts))
        for one in _KILLS:
            if not one.recovered:
                terminalreporter.line(f"not recovered: {one.victim}, seed {one.seed}, killed at stage {one.stage!r}")


def _key(one):
    return one.victim, "on" if one.proxy else "off", "local" if one.is_local else "S3"
