"""Drafts the files of `ngp configure` from an environment and a choice, without asking or writing."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from ngp import yaml
from ngp.catalogue import hcl
from ngp.catalogue.module import Module, Variable
from ngp.environments import answers, choosing, document_edits, documents, proposals, resolving, tfvars, wiring
from ngp.environments.draft_origins import Origins
from ngp.environments.drafts import Choice, Draft, Question, Subject
from ngp.environments.environment import Environment
from ngp.environments.tfvars_edits import Edit, Key, Setting, edit
from ngp.environments.values import COMMON_INPUTS, FACTS, Values
from ngp.errors import Finding, UsageError, nearest


def prepare(subject: Subject, choice: Choice) -> Draft:
    """Draft a choice: closure, wiring, values, questions. Raises UsageError if the files cannot be read."""
    return _Work(subject, choice).draft()


@dataclass(frozen=True)
class _Work:
    """One choice being worked out; each step is a value made from those before it."""

    subject: Subject
    choice: Choice

    @property
    def environment(self) -> Environment:
        return self.subject.environment

    @property
    def path(self) -> Path:
        return self.environment.path / tfvars.FILE

    @cached_property
    def chosen(self) -> Mapping[str, str]:
        present = {each.name: each.module for each in self.environment.units.values()}
        return present if self.choice.units is None else self.choice.units

    @cached_property
    def closed(self) -> choosing.Closure:
        return choosing.close(self.chosen, self.subject.catalogue, self.is_fed)

    @cached_property
    def wires(self) -> wiring.WiringResult:
        wires = {unit: dict(inputs) for unit, inputs in self.environment.wiring.items()}
        for (unit, name), ref in self.choice.wires.items():
            wires.setdefault(unit, {})[name] = ref
        gone = self.environment.units.keys() - self.closed.units
        return wiring.find(self.closed.units, wires, gone, self.has_value)

    @cached_property
    def values(self) -> Values:
        """What terraform.tfvars says, with the values of the wanted units that were commented out."""
        return tfvars.parse(edit(self.subject.tfvars, Edit(restored=tuple(self.chosen)), self.path), self.path)

    def has_value(self, unit: str, name: str) -> bool:
        keys = {(unit, name), (name,)}
        return bool(keys & self.choice.settings.keys()) or name in {**self.values.common, **self.values.unit(unit)}

    def is_fed(self, unit: str, name: str) -> bool:
        wire = self.choice.wires.get((unit, name)) or self.environment.wiring.get(unit, {}).get(name)
        return self.has_value(unit, name) or (wire is not None and wire.unit in self.chosen)

    def draft(self) -> Draft:
        findings = [*self.closed.findings]
        settings = self.settings(findings)
        questions = [*self.wire_questions(), *self.value_questions()]
        taken = [each for each in questions if each.dummy and each.variable] if self.choice.dummies else []
        settings |= {each.key: self.dummy(each) for each in taken}
        questions = [each for each in questions if each.key not in settings]
        before, after = self.environment.units, self.closed.units
        removed = tuple(unit for unit in before if unit not in after)
        changes = Edit(
            settings=settings,
            restored=tuple(after),
            retired=tuple(unit for unit in removed if unit in self.values.objects),
            titles={unit: _title(unit, module) for unit, module in after.items()},
        )
        draft = Draft(
            files=self.files(changes),
            units={unit: module.name for unit, module in after.items()},
            added=tuple(unit for unit in after if unit not in before),
            removed=removed,
            pulled=self.closed.added,
            wired=tuple(self.new_wires()),
            questions=tuple(questions),
        )
        if not findings and not questions:
            findings = self.check(draft, {each.key: each.dummy_where for each in taken})
        return replace(draft, findings=tuple(findings))

    def files(self, changes: Edit) -> dict[Path, str]:
        units = {unit: module.name for unit, module in self.closed.units.items()}
        document = document_edits.edit(self.subject.document, units, self.wires.wires, self.environment.catalogue)
        return {
            self.environment.path / documents.FILE: document,
            self.path: edit(self.subject.tfvars, changes, self.path),
        }

    def new_wires(self) -> Iterator[str]:
        for unit, inputs in self.wires.wires.items():
            for name, ref in inputs.items():
                if self.environment.wiring.get(unit, {}).get(name) != ref:
                    yield f"{unit}.{name} = {ref}"

    def wire_questions(self) -> Iterator[Question]:
        for each in self.wires.ambiguities:
            text = f"Which unit feeds {each.unit}.{each.input}?"
            place = str(self.closed.units[each.unit].variables[each.input].place)
            yield Question((each.unit, each.input), text, choices=each.candidates, where=place)

    def value_questions(self) -> Iterator[Question]:
        """One question for each input that nothing gives; a common one is asked once."""
        asked: set[Key] = {(each.unit, each.input) for each in self.wires.ambiguities}
        for unit, module in self.closed.units.items():
            for variable in module.variables.values():
                key: Key = (variable.name,) if variable.name in COMMON_INPUTS else (unit, variable.name)
                if not {key, (unit, variable.name)} & asked and self.is_open(unit, module, variable):
                    asked.add(key)
                    yield self.question(key, module, variable)

    def question(self, key: Key, module: Module, variable: Variable) -> Question:
        """The question for an input, with the default that the environment's target allows."""
        modules = [module, *(self.closed.units.values() if len(key) == 1 else ())]
        known = next((each.dummies[key[-1]] for each in modules if key[-1] in each.dummies), None)
        dummy = proposals.distinct(self.environment, self.subject.others, key, known.text) if known else ""
        offer = proposals.propose(self.environment, self.subject.others, key, modules, dummy)
        return Question(
            key,
            variable.description,
            offer.text,
            offer.origin,
            dummy,
            variable,
            where=str(variable.place),
            dummy_where=str(known.place) if known else "",
        )

    def is_open(self, unit: str, module: Module, variable: Variable) -> bool:
        if variable.name in (*FACTS, "unit") or self.has_value(unit, variable.name):
            return False
        if variable.name in self.wires.wires.get(unit, {}) or variable.name in module.manifest.generated:
            return False
        return not variable.has_default or variable.name in module.manifest.requires

    def dummy(self, question: Question) -> Setting:
        return Setting(question.dummy, self.comment(question.key))

    def settings(self, findings: list[Finding]) -> dict[Key, Setting]:
        """Return the effective settings; errors are added to `findings`."""
        found: dict[Key, Setting] = {}
        for key, text in self.choice.settings.items():
            shown = ".".join(key)
            try:
                variable = self.variable(key)
                value = answers.parse(text, variable.type)
                reasons = answers.check(variable, value, shown)
                findings.extend(Finding(reason, f"--set {shown}") for reason in reasons)
                rendered = answers.render(value)
            except UsageError as error:
                findings.extend(replace(each, where=f"--set {shown}") for each in error.findings)
                continue
            if not self.says(key, rendered):
                found[key] = Setting(rendered, self.comment(key))
        return found

    def says(self, key: Key, rendered: str) -> bool:
        """Whether the file says a value already, in whatever form."""
        written = self.values.common if len(key) == 1 else self.values.unit(key[0])
        return key[-1] in written and hcl.render(written[key[-1]].value) == rendered

    def variable(self, key: Key) -> Variable:
        """The variable that a key means; UsageError with the nearest name."""
        name = key[-1]
        if name in (*FACTS, "unit"):
            raise UsageError(f"`{name}` is a fact", why="environment.yaml or ngp.yaml sets it")
        if len(key) == 2 and key[0] not in self.closed.units:
            raise UsageError(f"the unit `{key[0]}` does not exist", todo=nearest(key[0], self.closed.units))
        if len(key) == 2:
            module = self.closed.units[key[0]]
            if name not in module.variables:
                todo = nearest(name, set(module.variables) - {*FACTS, "unit"})
                raise UsageError(f"the module `{module.name}` has no variable `{name}`", todo=todo)
            return module.variables[name]
        if name not in COMMON_INPUTS:
            todo = nearest(name, COMMON_INPUTS, f"set a unit's own input: --set UNIT.{name}=VALUE")
            raise UsageError(f"`{name}` is not a common input", todo=todo)
        declared = [each.variables[name] for each in self.closed.units.values() if name in each.variables]
        if not declared:
            raise UsageError(f"no chosen module has a variable `{name}`")
        return declared[0]

    def comment(self, key: Key) -> tuple[str, ...]:
        """The comment that a new value gets: that of NAME.dummy, else the variable's description."""
        units = self.closed.units
        modules = [units[key[0]]] if len(key) == 2 else [each for each in units.values() if key[0] in each.variables]
        for module in modules:
            dummy = module.dummies.get(key[-1])
            if dummy and dummy.comment:
                return dummy.comment
        return tuple(textwrap.wrap(modules[0].variables[key[-1]].description, 100)) if modules else ()

    def check(self, draft: Draft, dummies: Mapping[Key, str]) -> list[Finding]:
        """Return what the static checks say about the files as they would be written, at places that are saved."""
        document, path = (self.environment.path / documents.FILE, self.path)
        try:
            parsed = yaml.parse(draft.files[document], document)
            environment = documents.read(self.subject.platform, self.environment.name, parsed)
            values = tfvars.parse(draft.files[path], path)
        except UsageError as error:
            return list(error.findings)
        try:
            resolving.assemble(self.subject.platform, environment, self.subject.catalogue, values)
        except UsageError as error:
            saved = (self.environment, tfvars.parse(self.subject.tfvars, path))
            origins = Origins(saved, (environment, values), self.choice, dummies)
            return [origins.locate(each) for each in error.findings]
        return []


def _title(unit: str, module: Module) -> tuple[str, ...]:
    name = module.manifest.title if unit == module.name else f"{module.manifest.title} ({unit})"
    return tuple(textwrap.wrap(f"{name}: {module.manifest.summary}" if module.manifest.summary else name, 100))
