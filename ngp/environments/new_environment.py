"""The two files that a new environment begins with, from nothing or from another environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ngp import files, yaml
from ngp.catalogue import hcl
from ngp.environments import document_edits, documents, naming, platforms, proposals, revisions, tfvars, writing
from ngp.environments.environment import NAME, NAME_LENGTH, Environment, Platform, Target
from ngp.environments.tfvars_edits import Edit, Key, Setting, edit
from ngp.errors import Finding, UsageError, require

SANDBOX_ACCOUNT = "123456789012"  # what the AWS emulator says it is

_CREDENTIALS = ("profile", "assume_role")  # keys of environment.yaml

_DOCUMENT_HEAD = "# The facts of {name}. `ngp configure {name}` edits units and wiring; everything else is yours.\n"
_DOCUMENT = """\
target: {target}
account: "{account}"
region: {region}
domain: {domain}

units: {{}}
"""
_VALUES_HEAD = """\
# Values of {name}: common inputs first, then one object per unit. `ngp configure {name}` adds missing values and
# never changes what you wrote here.
"""


@dataclass(frozen=True)
class NewEnvironmentFacts:
    """What only the operator knows of a new environment."""

    name: str
    region: str
    account: str
    domain: str
    target: str = "aws"


@dataclass(frozen=True)
class NewEnvironmentRequest:
    """What a command line says of a new environment; what it leaves out is asked for or has a default."""

    name: str
    region: str = ""
    account: str = ""
    domain: str = ""
    target: Target | None = None
    source: str = ""


class NewEnvironmentQuestions(Protocol):
    """Asks a person; `ngp.views.environment_questions` does."""

    def target(self, usual: Target) -> Target:
        """Return where the environment lives; `usual` is offered first."""

    def fact(self, key: str, source: Environment | None) -> str:
        """Return the region, account or domain; that of `source` is offered."""


@dataclass(frozen=True)
class NewEnvironment:
    """A new environment: the files that were written, relative to the platform, and what of `source` it lacks."""

    name: str
    written: tuple[Path, ...]
    source: str = ""
    left_out: tuple[str, ...] = ()


def compose(platform: Platform, facts: NewEnvironmentFacts, source: Environment | None = None) -> dict[Path, str]:
    """The files of a new environment, by path; raise one UsageError with all that is wrong with its facts.

    From a `source` it takes units, wiring, state, catalogue and values with their comments. Where account or target
    differ it does not take profile and role; a post_tag that is the source's name becomes the new one's, and so does
    the name in the comment that ngp itself put on top. From a sandbox to a real account it takes no dummies.
    """
    require_new(platform, facts.name)
    require(
        Finding(f"{text!r} cannot be the {key}", f"--{key}", reason)
        for key, text in (("region", facts.region), ("account", facts.account), ("domain", facts.domain))
        for reason in documents.check_fact(key, text)
    )
    folder = platform.environment_path(facts.name)
    if source is None:
        schema = platforms.schema_comment(platform.path, "environment", 2)
        text = _DOCUMENT_HEAD.format(name=facts.name) + schema + _DOCUMENT.format(**vars(facts))
        values = _VALUES_HEAD.format(name=facts.name)
    else:
        text, values = _copy_document(facts, source), _copy_values(platform, facts, source)
    path = folder / documents.FILE
    documents.read(platform, facts.name, yaml.parse(text, path))
    return {path: text, folder / tfvars.FILE: values}


def create(platform: Platform, request: NewEnvironmentRequest, ask: NewEnvironmentQuestions | None) -> NewEnvironment:
    """Make a new environment. `ask` is None if nobody can be asked.

    Raises UsageError (64) for what is wrong or missing, and what `make` raises.
    """
    source = documents.load(platform, request.source) if request.source else None
    require_new(platform, request.name)
    target = request.target or (source.target if source else Target.AWS)
    if ask and request.target is None:
        target = ask.target(target)
    account = request.account or (SANDBOX_ACCOUNT if target is Target.SANDBOX else "")
    given = {"region": request.region, "account": account, "domain": request.domain}
    if ask:
        given = {key: value or ask.fact(key, source) for key, value in given.items()}
    require(Finding(f"the new environment needs --{key}") for key, value in given.items() if not value)
    return make(platform, NewEnvironmentFacts(request.name, target=target.value, **given), source)


def make(platform: Platform, facts: NewEnvironmentFacts, source: Environment | None = None) -> NewEnvironment:
    """Write the files of a new environment. Raises as `compose`, and NgpError if the disk refuses."""
    texts = compose(platform, facts, source)
    lacks = left_out(platform, facts, source) if source else ()
    with files.lock(platform.workspace.lock(facts.name), purpose=f"ngp env new {facts.name}"):
        require_new(platform, facts.name)
        writing.write(texts, f"the environment `{facts.name}` cannot be written")
    paths = tuple(path.relative_to(platform.path) for path in texts)
    return NewEnvironment(facts.name, paths, source.name if source else "", lacks)


def left_out(platform: Platform, facts: NewEnvironmentFacts, source: Environment) -> tuple[str, ...]:
    """Return what of a `source` a new environment does not take: facts, and keys of its terraform.tfvars."""
    credentials = [key for key in _CREDENTIALS if getattr(source, key)] if _is_elsewhere(facts, source) else []
    values = dummies(platform, source) if _leaves_sandbox(facts, source) else ()
    return (*credentials, *(".".join(key) for key in values))


def require_new(platform: Platform, name: str) -> None:
    """Raise UsageError where no environment can be made by this name: it is wrong, or a file is there already."""
    if not re.fullmatch(NAME, name) or len(name) > NAME_LENGTH:
        why = f"a name starts with a letter and has at most {NAME_LENGTH} lower-case letters, digits and single dashes"
        raise UsageError(f"`{name}` is not a valid environment name", why=why)
    path = platform.environment_path(name) / documents.FILE
    if path.exists():
        raise UsageError(f"the environment `{name}` already exists", where=str(path), todo=f"ngp configure {name}")
    values = platform.environment_path(name) / tfvars.FILE
    if values.exists():
        todo = "move it away, or choose another name"
        raise UsageError("this file already exists", where=str(values), why="it may contain your values", todo=todo)


def _is_elsewhere(facts: NewEnvironmentFacts, source: Environment) -> bool:
    return (facts.account, facts.target) != (source.account, source.target.value)


def _leaves_sandbox(facts: NewEnvironmentFacts, source: Environment) -> bool:
    return facts.target == Target.AWS.value and source.target is Target.SANDBOX


def _copy_document(facts: NewEnvironmentFacts, source: Environment) -> str:
    written_facts: Mapping[str, str] = {
        "target": facts.target,
        "account": facts.account,
        "region": facts.region,
        "domain": facts.domain,
    }
    text = _with_head(hcl.read(source.path / documents.FILE), _DOCUMENT_HEAD, facts, source)
    return document_edits.set_facts(text, written_facts, _CREDENTIALS if _is_elsewhere(facts, source) else ())


def dummies(platform: Platform, source: Environment) -> tuple[Key, ...]:
    """The keys of an environment's values that are the catalogue's dummies: harmless ones, made for the sandbox."""
    catalogue = revisions.load_catalogue(platform, source)
    units = {unit.name: unit.module for unit in source.units.values()}
    return proposals.dummies(tfvars.load(source.path / tfvars.FILE), units, catalogue)


def _copy_values(platform: Platform, facts: NewEnvironmentFacts, source: Environment) -> str:
    path = source.path / tfvars.FILE
    if not path.is_file():
        return _VALUES_HEAD.format(name=facts.name)
    text = _with_head(hcl.read(path), _VALUES_HEAD, facts, source)
    if _leaves_sandbox(facts, source):
        text = edit(text, Edit(removals=frozenset(dummies(platform, source))), path)
    post_tag = tfvars.parse(text, path).common.get("post_tag")
    if post_tag and post_tag.value == source.name and not naming.check("post_tag", facts.name):
        text = edit(text, Edit(settings={("post_tag",): Setting(hcl.render(facts.name))}), path)
    return text


def _with_head(text: str, head: str, facts: NewEnvironmentFacts, source: Environment) -> str:
    own = head.format(name=source.name)
    return head.format(name=facts.name) + text.removeprefix(own) if text.startswith(own) else text
