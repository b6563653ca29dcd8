"""Shared by all commands: the context, the option types, and questions to the operator."""

from __future__ import annotations

import select
import shlex
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from threading import Event, current_thread, main_thread
from typing import TYPE_CHECKING, Annotated

import typer

from ngp.commands import completion
from ngp.errors import StoppedError, UsageError, nearest
from ngp.settings import Settings
from ngp.views import terminal

if TYPE_CHECKING:
    from ngp.environments.environment import Environment

_NO = ("", "no", "n")
_LOOK_S = 0.2  # how often a waiting question looks whether the run was ended
DEFAULT_PARALLELISM = 4  # units at once: they wait for AWS, not for this machine


@dataclass
class Interruption:
    """The signals so far. While `is_watched`, the first one only sets the event; otherwise it raises StoppedError
    too."""

    event: Event = field(default_factory=Event)
    signal_number: int = 0
    is_watched: bool = False
    seen: set[int] = field(default_factory=set)
    is_hurried: bool = False


@dataclass(frozen=True)
class Context:
    """The context of a command. `cwd` is its working folder (after `--chdir`).

    `terraform_args` are the words after ``--``; only commands with ``PASSES_THROUGH = True`` get any.
    """

    settings: Settings
    interruption: Interruption
    debug: bool = False
    bell: bool = False
    terraform_args: tuple[str, ...] = ()
    fork_server: str = ""

    @property
    def cwd(self) -> Path:
        """The folder to work in. Raises: UsageError if it was deleted."""
        if not self.settings.cwd.is_dir():
            raise UsageError(
                "the working folder was deleted",
                where=str(self.settings.cwd),
                todo="change to another folder, or pass one with --chdir",
            )
        return self.settings.cwd

    @property
    def stop(self) -> Event:
        """Set by the first SIGINT or SIGTERM, which also interrupts the command, except in `taking_signals`."""
        return self.interruption.event

    @contextmanager
    def taking_signals(self) -> Iterator[Event]:
        """Take over the signals: inside, the first one only sets the event, and the work stops on its own.

        The caller then reports the result of the work, or calls `require_not_stopped`.
        """
        self.interruption.is_watched = True
        try:
            yield self.interruption.event
        finally:
            self.interruption.is_watched = False

    def require_not_stopped(self) -> None:
        """Raise StoppedError if a signal arrived."""
        if self.stopped_by:
            raise StoppedError(signal_number=self.stopped_by)

    @property
    def stopped_by(self) -> int:
        """The number of the signal that set `stop`, 0 if there was none."""
        return self.interruption.signal_number


CURRENT: ContextVar[Context] = ContextVar("ngp")


def context() -> Context:
    """Return the context of the running command."""
    return CURRENT.get()


def confirm(context: Context, question: str, *, flag: str = "--auto-approve", word: str = "yes") -> bool:
    """Ask until the answer is `word` or no. Raises UsageError with `flag` if nobody can be asked."""
    _require_terminal(context, f"this needs your confirmation: {question}", flag)
    answer = ask(context, f"{question} Type `{word}` to confirm, or press Enter to stop: ", flag=flag)
    while answer not in (word, *_NO):
        text = f"`{answer}` is not `{word}`. Type `{word}` to confirm, or press Enter to stop: "
        answer = ask(context, text, flag=flag)
    return answer == word


def place(environment: Environment) -> str:
    """Return the place of an environment, for a question: ``account 123456789012, eu-central-1``."""
    sandbox = "the sandbox, " if environment.target.value == "sandbox" else ""
    return f"`{environment.name}` ({sandbox}account {environment.account}, {environment.region})"


def ask(context: Context, question: str, *, flag: str) -> str:
    """Ask for a line on the terminal. Raises UsageError with `flag` if nobody can be asked."""
    _require_terminal(context, f"this needs your answer: {question.strip().rstrip(':')}", flag)
    sys.stderr.write(terminal.clean(question))
    sys.stderr.flush()
    answer = _line(context)
    if not answer:
        raise UsageError(f"no answer to: {question.strip()}", todo=f"pass the answer with `{flag}`")
    return answer.strip()


def require_person(context: Context, *command: str) -> None:
    """Raise UsageError if nobody can confirm what a command does; commands call it before they start to work."""
    _require_terminal(context, f"`{shlex.join(command)}` needs your confirmation", "--auto-approve")


def _require_terminal(context: Context, what: str, flag: str) -> None:
    if not context.settings.is_interactive:
        verb = "pass" if flag.startswith("-") else "set"
        raise UsageError(what, why="there is no terminal, or CI is set", todo=f"{verb} `{flag}`")


def _line(context: Context) -> str:
    """A line of stdin. A worker's question ends with the run: a signal interrupts the main thread only."""
    if current_thread() is main_thread():
        with _interruptible(context):
            return sys.stdin.readline()
    while not select.select([sys.stdin], [], [], _LOOK_S)[0]:
        if context.interruption.event.is_set():
            raise StoppedError(signal_number=context.stopped_by)
    return sys.stdin.readline()


@contextmanager
def _interruptible(context: Context) -> Iterator[None]:
    """While a question waits nothing is at work that could end gracefully: Ctrl-C ends the command at once."""
    watched, context.interruption.is_watched = context.interruption.is_watched, False
    try:
        yield
    finally:
        context.interruption.is_watched = watched


def require_format(form: str, known: Iterable[str]) -> None:
    """Raise UsageError for a `--format` that is none of `known`."""
    names = list(known)
    if form not in names:
        raise UsageError(f"unknown format `{form}`", todo=nearest(form, names))


class Switch(StrEnum):
    """The value of an option that Terraform writes as ``-refresh=false``. Some versions of Typer convert what the
    parser returned once more, by its text."""

    ON = "true"
    OFF = "false"

    def __bool__(self) -> bool:
        return self is Switch.ON


def _switch(value: str) -> Switch:
    """Return the Switch that `value` means, in any spelling of a boolean."""
    for switch, words in ((Switch.ON, ("1", "true", "yes")), (Switch.OFF, ("0", "false", "no"))):
        if value.strip().lower() in words:
            return switch
    raise typer.BadParameter(f"`{value}` is neither true nor false")


EnvironmentName = Annotated[
    str,
    typer.Argument(
        metavar="ENV",
        help="the environment; by default that of this folder, that of NGP_ENV, or the only one",
        autocompletion=completion.environments_or_units,
    ),
]
OptionalEnvironmentName = Annotated[
    str, typer.Argument(metavar="ENV", help="the environment", autocompletion=completion.environments)
]
EnvironmentNames = Annotated[
    list[str] | None,
    typer.Argument(metavar="ENV", help="only these environments", autocompletion=completion.environments),
]
UnitNames = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="UNIT",
        help="only these units: names, globs, `tag:TAG`, `swarm...`, `...swarm`, `!swarm`",
        autocompletion=completion.units,
    ),
]
ModuleName = Annotated[str, typer.Argument(metavar="MODULE", help="the module", autocompletion=completion.modules)]
ModuleNames = Annotated[
    list[str] | None,
    typer.Argument(metavar="MODULE", help="only these modules", autocompletion=completion.modules),
]
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON document on stdout, also on failure")]
ShowAll = Annotated[bool, typer.Option("--all", help="show every unit, attribute and value")]
AsJsonLines = Annotated[bool, typer.Option("--jsonl", help="print each event as a line of JSON on stdout")]
Parallelism = Annotated[int, typer.Option("--parallelism", "-j", min=1, help="number of units at the same time")]
AutoApprove = Annotated[bool, typer.Option("--auto-approve", "-auto-approve", help="answer yes: act without asking")]
AcceptDataLoss = Annotated[
    list[str] | None,
    typer.Option(
        "--accept-data-loss",
        metavar="UNIT|ADDRESS",
        help="allow to delete, replace or forget data of this unit or resource, or several quorum members at once; "
        "repeatable",
        autocompletion=completion.units,
    ),
]
AcceptLost = Annotated[
    list[str] | None,
    typer.Option(
        "--accept-lost",
        metavar="ADDRESS",
        help="confirm that this object of a killed run does not exist or is in its state; repeatable",
    ),
]
Apart = Annotated[bool, typer.Option("--apart", help="plan and apply each unit separately, instead of all in one plan")]
Reveal = Annotated[bool, typer.Option("--reveal", help="show sensitive values")]
DetailedExitCode = Annotated[
    bool,
    typer.Option("--detailed-exitcode", "-detailed-exitcode", help="exit with 2 if there are changes"),
]
Targets = Annotated[
    list[str] | None,
    typer.Option(
        "--target", "-target", metavar="[UNIT:]ADDRESS", help="only this resource and what it needs; repeatable"
    ),
]
Replacements = Annotated[
    list[str] | None,
    typer.Option("--replace", "-replace", metavar="[UNIT:]ADDRESS", help="replace this resource; repeatable"),
]
Refresh = Annotated[  # default: Switch.ON
    Switch,
    typer.Option(
        "--refresh",
        "-refresh",
        parser=_switch,
        metavar="true|false",
        help="read the real resources first",
        autocompletion=completion.one_of("true", "false"),
    ),
]
LockTimeout = Annotated[
    str,
    typer.Option(
        "--lock-timeout", "-lock-timeout", metavar="TIME", help="how long to wait for a state lock, such as 30s"
    ),
]
Affected = Annotated[
    bool, typer.Option("--affected", help="only units that changed since a commit, or use outputs of those; show why")
]
Since = Annotated[
    str,
    typer.Option(
        "--since",
        metavar="REF",
        help="the commit to compare with; by default where HEAD branched off the default branch",
        autocompletion=completion.refs,
    ),
]
NoInput = Annotated[bool, typer.Option("--no-input", help="never ask; a missing answer is an error")]
Emergency = Annotated[
    str,
    typer.Option(
        "--emergency", metavar="REASON", help="change a protected environment without a bundle, and sign the reason"
    ),
]
SigningKey = Annotated[
    str,
    typer.Option("--key", metavar="FILE", help="SSH key to sign with; by default Git's user.signingkey"),
]
