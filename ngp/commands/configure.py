"""`ngp configure`: choose modules, answer what they need, write environment.yaml and terraform.tfvars."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from ngp import files
from ngp.commands import completion, options, scope
from ngp.environments import documents, drafting, drafts, flags, platforms, revisions, writing
from ngp.environments.drafts import Choice, Draft, Subject
from ngp.environments.environment import Platform
from ngp.errors import UsageError, require
from ngp.views import asking
from ngp.views import configuring as view
from ngp.views import documents as views

Modules = Annotated[
    list[str] | None,
    typer.Option(
        "--module",
        "-m",
        metavar="[UNIT=]MODULE",
        help="use this module; all that are named make the choice",
        autocompletion=completion.modules,
    ),
]
Values = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="[UNIT.]KEY=VALUE", help="a value, as HCL, JSON or plain text; repeatable"),
]
Wires = Annotated[
    list[str] | None,
    typer.Option("--wire", metavar="UNIT.INPUT=UNIT.OUTPUT", help="what feeds an input; repeatable"),
]
Catalogue = Annotated[
    str | None,
    typer.Option(
        "--catalogue",
        metavar="REF",
        help='use the modules of this commit; "" is the working tree',
        autocompletion=completion.refs,
    ),
]
Dummies = Annotated[bool, typer.Option("--dummies", help="take the harmless values of NAME.dummy for what has none")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="write nothing, show what would change")]


def configure(
    environment: options.OptionalEnvironmentName = "",
    module: Modules = None,
    values: Values = None,
    wire: Wires = None,
    catalogue: Catalogue = None,
    dummies: Dummies = False,
    dry_run: DryRun = False,
    no_input: options.NoInput = False,
    as_json: options.AsJson = False,
) -> None:
    """Choose the modules of an environment and answer what they need."""
    context = options.context()
    platform = platforms.load(platforms.find(context.cwd))
    may_ask = context.settings.is_interactive and not no_input
    name = environment or _environment(context, platform, may_ask=may_ask)
    documents.load(platform, name)  # a lock is made for what is there only
    with files.lock(platform.workspace.lock(name), purpose=f"ngp configure {name}"):
        if may_ask and catalogue is None and not (module or values or wire):
            catalogue = _version(platform, name)
        subject = drafts.read(platform, name, catalogue)
        choice = flags.choice(subject, module or [], values or [], wire or [])
        draft = _complete(subject, replace(choice, catalogue=catalogue, dummies=dummies), may_ask=may_ask)
        require([*draft.findings, *(question.finding() for question in draft.questions)])
        changed = writing.changed(draft.files)
        if not dry_run:
            writing.write(writing.through_links(changed), "the files of the environment cannot be written")
    shown = view.document(platform.path, name, draft, changed, written=not dry_run)
    if as_json:
        views.write(shown)
    else:
        view.show(shown, context.settings)


def _environment(context: options.Context, platform: Platform, *, may_ask: bool) -> str:
    """The environment where the line names none: that of the surroundings, or the one that is picked."""
    names = documents.names(platform)
    if may_ask and len(names) > 1 and not scope.is_implied(context, platform):
        return asking.pick("Which environment?", names)
    return scope.choose(context, "").environment


def _version(platform: Platform, name: str) -> str | None:
    """Ask which version of the modules to use, if Git has tags to choose from. None keeps the present one."""
    tags = revisions.tags(platform)
    if not tags:
        return None

    def check(ref: str) -> list[str]:
        try:
            return [] if not ref or revisions.resolve(platform, ref) else [ref]
        except UsageError as error:
            return [each.what for each in error.findings]

    present = documents.load(platform, name).catalogue
    text = f"Version of the modules, such as {tags[0]} (empty: the working tree)"
    given = asking.fill(f"{text}:", check, present)
    return None if given == present else given


def _complete(subject: Subject, choice: Choice, *, may_ask: bool) -> Draft:
    """The draft of a choice, with all answers that a person at a terminal can give."""
    picks = may_ask and choice.units is None and not choice.settings and not choice.wires
    start = choice
    if picks:
        choice = replace(start, units=asking.choose(subject))
    draft = drafting.prepare(subject, choice)
    while may_ask and draft.questions and not draft.findings:
        answered = asking.answer(draft.questions, choice)
        if answered is None and picks:  # back to the modules
            answered = replace(start, units=asking.choose(subject, choice.units))
        choice = answered or choice
        draft = drafting.prepare(subject, choice)
    return draft
