"""docs/commands.md says what the command tree is."""

from pathlib import Path

from ngp import errors
from ngp.cli import BROKEN_PIPE, failures, loading, reference, table
from tests import command_lines

PAGE = Path(reference.__file__).parents[2] / "docs" / "commands.md"


def test_the_page_is_as_the_command_tree_is(request):
    made = reference.render()
    if request.config.getoption("--update-golden"):
        PAGE.write_text(made, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == made, "stale: run this test with --update-golden"


def test_every_exit_code_of_the_error_tree_is_on_the_page():
    codes = {error.exit_code for error in [errors.NgpError, errors.StoppedError, *errors.NgpError.__subclasses__()]}
    assert codes | {0, 2, 143, BROKEN_PIPE, failures.BUG} == set(reference.EXIT_CODES)


def test_every_command_is_known_to_start_terraform_or_not():
    """A new command needs a line in tests/command_lines.py: test_interruption.py sends a Ctrl-C to those of STARTS."""
    found = set()
    for name in table.entries():
        below = getattr(loading.load(name), "commands", {})
        found |= {f"{name} {verb}" for verb in below} or {name}
    assert found == {*command_lines.STARTS, *command_lines.STARTS_NONE}
