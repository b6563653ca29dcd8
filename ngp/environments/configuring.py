"""Configures an environment under its lock: from flags and answers to written files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from ngp import files
from ngp.environments import documents, drafting, drafts, flags, revisions, writing
from ngp.environments.drafts import Choice, Draft, Question, Subject
from ngp.environments.environment import Platform
from ngp.errors import UsageError, require


@dataclass(frozen=True)
class ConfigureRequest:
    """The flags of `ngp configure`; `catalogue` is None if not given."""

    modules: Sequence[str] = ()
    values: Sequence[str] = ()
    wires: Sequence[str] = ()
    catalogue: str | None = None
    dummies: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether no flag decides anything, so that everything must be asked."""
        return self.catalogue is None and not (self.modules or self.values or self.wires)


class ConfigureQuestions(Protocol):
    """Asks the operator (implemented by `ngp.views.asking`)."""

    def version(self, newest: str, present: str, check: Callable[[str], list[str]]) -> str:
        """Return the Git ref of the modules, "" for the working tree. `present` is the current one."""

    def choose(self, subject: Subject, chosen: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the chosen units, each with its module."""

    def answer(self, questions: Sequence[Question], choice: Choice) -> Choice | None:
        """Return the choice with the answers; None if the operator goes back to the modules."""


@dataclass(frozen=True)
class ConfiguredEnvironment:
    """The draft, and the files (full paths) that it changes."""

    draft: Draft
    changed: Mapping[Path, str]


def configure(
    platform: Platform, name: str, request: ConfigureRequest, ask: ConfigureQuestions | None, *, write: bool
) -> ConfiguredEnvironment:
    """Draft the files of an environment, and write them if that is wanted. `ask` is None if nobody can be asked.

    Raises UsageError (64) for everything that is wrong or not answered, LockHeldError (5) during a run, NgpError if the
    disk refuses.
    """
    documents.load(platform, name)  # a lock is made for what is there only
    with files.lock(platform.workspace.lock(name), purpose=f"ngp configure {name}"):
        catalogue = _ask_version(platform, name, ask) if ask and request.is_empty else request.catalogue
        subject = drafts.read(platform, name, catalogue)
        choice = flags.choice(subject, request.modules, request.values, request.wires)
        draft = _complete(subject, replace(choice, catalogue=catalogue, dummies=request.dummies), ask)
        require([*draft.findings, *(question.finding() for question in draft.questions)])
        changed = writing.changed(draft.files)
        if write:
            writing.write(writing.through_links(changed), "cannot write the files of the environment")
    return ConfiguredEnvironment(draft, changed)


def _ask_version(platform: Platform, name: str, ask: ConfigureQuestions) -> str | None:
    """Return the version of the modules to use, None to keep the present one. It is asked for if Git has tags."""
    tags = revisions.tags(platform)
    if not tags:
        return None

    def check(ref: str) -> list[str]:
        try:
            return [] if not ref or revisions.resolve(platform, ref) else [ref]
        except UsageError as error:
            return [each.what for each in error.findings]

    present = documents.load(platform, name).catalogue
    given = ask.version(tags[0], present, check)
    return None if given == present else given


def _complete(subject: Subject, choice: Choice, ask: ConfigureQuestions | None) -> Draft:
    """Return the draft of a choice, with all answers that a person can give."""
    if ask is None:
        return drafting.prepare(subject, choice)
    picks = choice.units is None and not choice.settings and not choice.wires
    start = choice
    if picks:
        choice = replace(start, units=ask.choose(subject))
    draft = drafting.prepare(subject, choice)
    while draft.questions and not draft.findings:
        answered = ask.answer(draft.questions, choice)
        if answered is None and picks:  # back to the modules
            answered = replace(start, units=ask.choose(subject, choice.units))
        choice = answered or choice
        draft = drafting.prepare(subject, choice)
    return draft
