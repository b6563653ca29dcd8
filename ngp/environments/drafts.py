"""Values of `ngp configure`: the environment, the choice, the open questions, and the draft."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ngp.catalogue import hcl
from ngp.catalogue.module import Catalogue, Module, Variable
from ngp.environments import answers, documents, proposals, revisions, tfvars
from ngp.environments.environment import Environment, OutputRef, Platform
from ngp.environments.tfvars_edits import Key
from ngp.errors import Finding


@dataclass(frozen=True)
class Choice:
    """What the operator chose; missing parts stay as they are."""

    units: Mapping[str, str] | None = None  # unit → module: exactly these, and what they need
    settings: Mapping[Key, str] = field(default_factory=dict)  # as typed: HCL, JSON or a plain text
    wires: Mapping[tuple[str, str], OutputRef] = field(default_factory=dict)  # (unit, input) → what feeds it
    catalogue: str | None = None
    dummies: bool = False  # use the harmless values of NAME.dummy for inputs without another


@dataclass(frozen=True)
class Subject:
    """The current environment, and the catalogue to use."""

    platform: Platform
    environment: Environment
    catalogue: Catalogue
    document: str  # the text of environment.yaml
    tfvars: str  # the text of terraform.tfvars, "" where there is none
    others: tuple[proposals.OtherEnvironment, ...] = ()  # the other environments of the platform


@dataclass(frozen=True)
class Question:
    """A question for the operator: a value (`variable`), or which unit feeds an input (`choices`)."""

    key: Key
    text: str
    default: str = ""  # the default answer
    origin: str = ""  # where the default is from
    dummy: str = ""  # the harmless value that `--dummies` takes
    variable: Variable | None = None
    choices: tuple[OutputRef, ...] = ()
    where: str = ""  # where the input is declared
    dummy_where: str = ""

    @property
    def name(self) -> str:
        return ".".join(self.key)

    @property
    def flag(self) -> str:
        return f"--wire {self.name}=UNIT.OUTPUT" if self.choices else f"--set {self.name}=VALUE"

    @property
    def line(self) -> str:
        """The default as one line of input: JSON if it has several lines."""
        return self.default if "\n" not in self.default else answers.in_a_line(self.default)

    def check(self, answer: str) -> list[str]:
        """Return why an answer is invalid."""
        if self.variable and not answer.strip():
            return ['a value is needed; type "" for an empty text']
        return answers.check_text(self.variable, answer, self.name) if self.variable else []

    def finding(self) -> Finding:
        """Return the question as an error, if nobody can be asked."""
        if self.choices:
            names = ", ".join(f"`{ref}`" for ref in self.choices)
            what = f"several units could feed `{self.name}`: {names}"
            return Finding(what, self.where, "", f"choose one: {self.flag}")
        why = f"description: {self.text}" if self.text else ""
        return Finding(f"`{self.name}` has no value", self.where, why, f"pass {self.flag}")


@dataclass(frozen=True)
class Draft:
    """A draft. `files` are whole texts by path, complete only without questions and findings."""

    files: Mapping[Path, str]
    units: Mapping[str, str]
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    pulled: Mapping[str, str] = field(default_factory=dict)  # unit → why it was added
    wired: tuple[str, ...] = ()  # new wires, as `unit.input = unit.output`
    questions: tuple[Question, ...] = ()
    findings: tuple[Finding, ...] = ()


def read(platform: Platform, name: str, catalogue: str | None = None) -> Subject:
    """Return the current environment; `catalogue` is the Git ref to pin ("" for the working tree)."""
    environment = documents.load(platform, name)
    if catalogue is not None:
        commit = revisions.resolve(platform, catalogue) if catalogue else ""
        environment = replace(environment, catalogue=commit)
    path = environment.path / tfvars.FILE
    return Subject(
        platform,
        environment,
        revisions.load_catalogue(platform, environment),
        hcl.read(environment.path / documents.FILE),
        hcl.read(path) if path.is_file() else "",
        proposals.others(platform, name),
    )


def by_category(catalogue: Catalogue) -> dict[str, list[Module]]:
    """Return the modules by category, in the order of the menu."""
    found: dict[str, list[Module]] = {}
    for module in catalogue.modules.values():
        found.setdefault(module.manifest.category, []).append(module)
    return dict(sorted(found.items()))
