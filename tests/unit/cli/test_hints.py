"""Hints for what ngp does not know: they lead to something that exists, and never to the opposite."""

import re
import shlex
from functools import cache

import pytest

from ngp import cli
from ngp.cli import examples, hints, loading, table
from ngp.errors import nearest, similar


def _walk(name, command):
    yield name, command
    for below, inner in getattr(command, "commands", {}).items():
        yield from _walk(f"{name} {below}", inner)


@cache  # read when a test runs, not by each worker that only collects
def _tree():
    """All commands by their path."""
    return {path: command for name in table.entries() for path, command in _walk(name, loading.load(name))}


def _check_line(line):
    """A command line of a text: its command and its flags exist."""
    words = shlex.split(line.replace("[UNIT]", "UNIT"))
    assert words[0] == "ngp"
    path = " ".join(words[1:3]) if " ".join(words[1:3]) in _tree() else words[1]
    assert path in _tree(), line
    assert not hasattr(_tree()[path], "commands"), f"{line} is a group"
    known = {flag for param in _tree()[path].params for flag in (*param.opts, *param.secondary_opts)}
    own = words[: words.index("--")] if "--" in words else words
    for word in own:
        flag = word.partition("=")[0]
        assert flag in known or not word.startswith("-"), f"{line}: {flag}"
    return path


@pytest.mark.parametrize("text", [*hints.COMMANDS.values(), *hints.OPTIONS.values()])
def test_every_command_that_a_hint_names_exists(text):
    lines = [line for line in re.findall("`([^`]*)`", text) if line.startswith("ngp ")]
    for line in lines:
        _check_line(line)
    assert lines or "terraform" in text or "--" in text


@pytest.mark.parametrize("word", hints.COMMANDS)
def test_words_of_other_tools_are_no_commands_of_ngp(word):
    assert word not in table.entries(), "take the hint out: the command is there now"


def test_every_command_has_an_example_and_every_example_works_as_written():
    commands = {path for path, command in _tree().items() if not hasattr(command, "commands")}
    assert examples.EXAMPLES.keys() == commands
    for path, rows in examples.EXAMPLES.items():
        for line in rows:
            found = re.search(r"ngp [^)]*", line)
            assert _check_line(found[0]) == path


SAID = [
    (["plan", "dev", "--var", "a=b"], "no option `--var`", "ngp configure ENV --set UNIT.INPUT=VALUE"),
    (["plan", "-var=a=b"], "no option `-var`", "ngp configure ENV --set UNIT.INPUT=VALUE"),
    (["plan", "-var-file=x"], "no option `-var-file`", "terraform.tfvars"),
    (["plan", "dev", "-json"], "no option `-json`", "write `--json`"),
    (["plan", "dev", "-parallelism=3"], "no option `-parallelism`", "write `--parallelism`"),
    (["plan", "-targt=x"], "no option `-targt`", "did you mean `-target`?"),
    (["apply", "dev", "--yes"], "no option `--yes`", "`--auto-approve`"),
    (["plan", "--color"], "no option `--color`", "see `ngp plan --help`"),
    (["plan", "--no-colour"], "no option `--no-colour`", "did you mean `--no-color`?"),
    (["plan", "-jx"], "for '--parallelism'", "see `ngp plan --help`"),
    (["plan", "-target=a.b", "--parallelism", "0"], "'--parallelism'", "see `ngp plan --help`"),
    (["plan", "dev", "--out"], "option '--out' requires an argument", "see `ngp plan --help`"),
    (["bundle", "show", "x", "--identity"], "requires an argument", "see `ngp bundle show --help`"),
    (["force-unlock"], "no command `force-unlock`", "ngp unlock ENV UNIT"),
    (["module", "unlock"], "`ngp module` has no command `unlock`", "use one of: "),
    (["run-all"], "no command `run-all`", "ngp plan ENV"),
    (["aply"], "no command `aply`", "did you mean `apply`?"),
    (["env", "nwe"], "no command `nwe`", "did you mean `new`?"),
    (["nope"], "no command `nope`", "see `ngp --help`"),
    (["help", "nope"], "`ngp` has no command `nope`", "see `ngp --help`"),
    (["help", "aply"], "no command `aply`", "did you mean `apply`?"),
    (["help", "force-unlock"], "no command `force-unlock`", "ngp unlock ENV UNIT"),
    (["help", "module", "shw"], "`ngp module` has no command `shw`", "did you mean `show`?"),
    (["help", "plan", "dev"], "`ngp plan` has no command `dev`", "see `ngp plan --help`"),
]


@pytest.mark.parametrize(("argv", "what", "todo"), SAID)
def test_an_unknown_word_gets_a_hint_that_helps(capsys, argv, what, todo):
    assert cli.run(argv) == 64
    error, _, hint = capsys.readouterr().err.partition("  fix:")
    assert what in error
    assert todo in hint


def test_opposites_are_not_near():
    assert similar("unlock", ["lock", "graph"]) == ""
    assert similar("lock", ["unlock", "block"]) == "block"
    assert similar("color", ["no-color"]) == ""


def test_a_fix_for_somebody_who_meant_no_known_name_comes_last():
    assert nearest("netwrk", ["network"], "add it") == "did you mean `network`? Or add it"
    assert nearest("zzzzzzzzzz", ["b", "a"], "add it") == "use one of: a, b; or add it"
    assert nearest("zzzzzzzzzz", [], "add it") == "add it"


def test_of_many_names_the_nearest_few_are_listed():
    known = [f"name_{number:02}" for number in range(38)]
    assert nearest("zzzzzzzzzz", ["b", "a"]) == "use one of: a, b"
    assert nearest("zzzzzzzzzz", ["a"]) == "there is only `a`"
    assert nearest("zzzzzzzzzz", []) == ""
    said = nearest("xx_07", known)
    assert "name_07" in said
    assert said.endswith("and 33 more")
    assert len(said) < 80
