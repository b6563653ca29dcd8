"""The start-up time of a command line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace

from bench.cases.options import Options
from bench.contest import Case, Contestant, above
from bench.lab import TERRAFORM, TERRAGRUNT, TERRAMATE, TOFU, Lab
from bench.measuring import Command, Sample, measure, run

_PASS, _VERSION, _HELP, _COMPLETION = "python -c pass", "ngp --version", "ngp --help", "ngp, completion"
_PEERS = {TERRAFORM: "version", TOFU: "version", TERRAGRUNT: "--version", TERRAMATE: "version"}


def cases(lab: Lab, options: Options) -> Iterator[Case]:
    """Return one case: the interpreter alone, ngp, and the version commands of the peers."""
    asked = {"COMP_WORDS": "ngp pl", "COMP_CWORD": "1", "_NGP_COMPLETE": "complete_bash"}
    completion = lab.ngp(lab.folder)
    commands = {
        _PASS: lab.peer(lab.folder, sys.executable, "-c", "pass"),
        _VERSION: lab.ngp(lab.folder, "--version"),
        _HELP: lab.ngp(lab.folder, "--help"),
        _COMPLETION: replace(completion, env={**completion.env, **asked}),
        **{f"{name} {word}": lab.peer(lab.folder, name, word) for name, word in _PEERS.items() if lab.has(name)},
    }
    yield Case(
        "start",
        "Start of the command line",
        "The whole process, start to end; `python -c pass` is ngp's own interpreter doing nothing.",
        tuple(_contestant(name, command) for name, command in commands.items()),
        (above(30, _PASS, _VERSION), above(100, _PASS, _HELP), above(100, _PASS, _COMPLETION)),
        repeats=options.repeats * 7,
    )


def _contestant(name: str, command: Command) -> Contestant:
    def act() -> Sample:
        return measure(lambda: run(command), with_memory=False)

    return Contestant(name, act)
