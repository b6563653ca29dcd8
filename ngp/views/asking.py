"""Questions to a person at a terminal, by questionary. What is asked is decided elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from ngp.catalogue.module import Catalogue, Module, Status
from ngp.environments import choosing
from ngp.environments.drafts import Choice, Question, Subject, by_category


def pick(text: str, names: Iterable[str], **doors: Any) -> str:
    """One of several names. `doors` are questionary's input and output, for tests."""
    import questionary

    return str(questionary.select(text, list(names), **doors).unsafe_ask())


def fill(text: str, check: Any, default: str = "", **doors: Any) -> str:
    """A line of text; `check` returns the reasons against an answer."""
    import questionary

    def validate(answer: str) -> bool | str:
        return "; ".join(check(answer)) or True

    return str(questionary.text(text, default=default, validate=validate, **doors).unsafe_ask())


def tick(text: str, names: Iterable[str], **doors: Any) -> list[str]:
    """Any number of several names, in their order."""
    import questionary

    return [str(name) for name in questionary.checkbox(text, list(names), **doors).unsafe_ask()]


def choose(subject: Subject, **doors: Any) -> dict[str, str]:
    """Checkboxes of all modules by category; units that are there already are checked."""
    import questionary

    present = {unit.name: unit.module for unit in subject.environment.units.values()}
    offered: list[Any] = []
    for category, modules in by_category(subject.catalogue).items():
        offered.append(questionary.Separator(f"── {category}"))
        for module in modules:
            units = [unit for unit, name in present.items() if name == module.name] or [module.name]
            offered += [
                questionary.Choice(label(unit, module), value=(unit, module.name), checked=unit in present)
                for unit in units
            ]

    def validate(chosen: Any) -> bool | str:
        return explain(dict(chosen), subject.catalogue) or True

    text = f"Modules of {subject.environment.name} (what they need comes along)"
    return dict(questionary.checkbox(text, offered, validate=validate, **doors).unsafe_ask())


def answer(questions: Sequence[Question], choice: Choice, **doors: Any) -> Choice:
    """The choice with an answer to each question."""
    settings, wires = dict(choice.settings), dict(choice.wires)
    for question in questions:
        if question.choices:
            picked = pick(question.text, map(str, question.choices), **doors)
            wires[question.key[0], question.key[1]] = next(ref for ref in question.choices if str(ref) == picked)
        else:
            settings[question.key] = fill(f"{question.name}: {question.text}", question.check, question.line, **doors)
    return replace(choice, settings=settings, wires=wires)


def label(unit: str, module: Module) -> str:
    """The line of a checkbox."""
    name = unit if unit == module.name else f"{unit} ({module.name})"
    legacy = " [legacy]" if module.manifest.status is Status.LEGACY else ""
    return f"{name}{legacy}: {module.manifest.title}"


def explain(chosen: dict[str, str], catalogue: Catalogue) -> str:
    """Why the chosen modules cannot stand together, "" where they can."""
    return "; ".join(f"{each.what}: {each.why}" for each in choosing.conflicts(chosen, catalogue))
