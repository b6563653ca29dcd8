"""Options that stand in one dataclass are those of every command that takes it."""

from dataclasses import dataclass
from typing import Annotated

import typer
from typer.testing import CliRunner

from ngp.commands.grouping import grouped

Name = Annotated[str, typer.Option("--name", "-n", help="a name")]
Tags = Annotated[list[str] | None, typer.Option("--tag")]
Number = Annotated[int, typer.Option("--number", min=1)]


@dataclass(frozen=True)
class Group:
    name: Name
    tags: Tags = None
    number: Number = 3


app = typer.Typer()


@app.command()
@grouped
def show(
    place: Annotated[str, typer.Argument()],
    group: Group = Group("unset"),  # noqa: B008
    loud: Annotated[bool, typer.Option("--loud")] = False,
) -> None:
    """Show what was given."""
    typer.echo(f"{place} {group} {loud}")


def run(*words):
    return CliRunner().invoke(app, words)


def test_the_fields_of_a_group_are_options_and_arrive_as_one_value():
    done = run("here", "-n", "anna", "--tag", "a", "--tag", "b", "--number", "7", "--loud")
    assert done.output == "here Group(name='anna', tags=['a', 'b'], number=7) True\n"


def test_defaults_of_fields_are_those_of_options_and_a_field_without_one_is_needed():
    assert run("here", "--name", "anna").output == "here Group(name='anna', tags=None, number=3) False\n"
    done = run("here")
    assert (done.exit_code, "--name" in done.output) == (2, True)


def test_options_stand_in_the_order_of_parameters_and_the_help_is_the_commands():
    text = run("--help").output
    assert "Show what was given." in text
    places = [text.index(flag) for flag in ("--name", "--tag", "--number", "--loud")]
    assert places == sorted(places)


def test_the_limits_of_an_option_hold():
    assert run("here", "--name", "x", "--number", "0").exit_code == 2
