"""Every line that `ngp moltar` prints is one that ngp takes."""

import shlex

import pytest
import typer

from ngp.cli import tree
from ngp.hosts import moltar
from ngp.hosts.moltar import MoltarLine

LINES = [
    "ls",
    "ssh",
    "ssh web/1 -v",
    "ssh -1",
    "hostname web",
    "exec ls -la",
    "scp a b",
    "scp -r a :/srv",
    "scp :/srv/a b",
    "deploy",
    "deploy shop",
    "install shop",
]


@pytest.mark.parametrize("text", LINES)
@pytest.mark.parametrize("given", [{}, {"project": "p", "is_serial": True, "is_filtered": True, "version": "1"}])
def test_line_is_parsed_with_nothing_left_over(text, given):
    command, *arguments = shlex.split(text)
    own = list(moltar.translate(command, MoltarLine("qa/web", tuple(arguments), ("a", "b"), **given)))
    words = own[: own.index("--")] if "--" in own else own
    group = tree()
    context = typer.Context(group)
    noun = group.get_command(context, words[0])
    verb = noun.get_command(context, words[1])
    parsed = verb.make_context(" ".join(words[:2]), words[2:])
    assert "qa/web" in parsed.params.values()
    assert not parsed.args
    if given:
        assert parsed.params["project"] == "p"
