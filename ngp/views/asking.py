"""Questions at a terminal, with questionary. Other rooms decide what to ask."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ngp.catalogue.module import Catalogue, Module, ModuleStatus
from ngp.environments import choosing
from ngp.environments.drafts import Choice, Question, Subject, by_category

_MANY = 8  # from so many choices on, typing searches them
_BACK = object()
_HOW_BACK = "Shift-Tab: back"


def pick(text: str, names: Iterable[str], **streams: Any) -> str:
    """Ask for one of several names. `streams` are questionary's input and output, for tests."""
    return str(_run(_select(text, list(names), streams)))


def fill(text: str, check: Any, default: str = "", **streams: Any) -> str:
    """Ask for a line of text; `check` returns reasons against an answer."""
    return str(_run(_text(text, check, default, streams)))


def tick(text: str, names: Mapping[str, str], **streams: Any) -> list[str]:
    """Ask for any number of several names, in their order; `names` describes each."""
    import questionary

    choices = [questionary.Choice(f"{name}  ({owner})", value=name) for name, owner in names.items()]
    return [str(name) for name in _run(questionary.checkbox(text, choices, **_search(choices), **streams))]


def version(newest: str, present: str, check: Callable[[str], list[str]], **streams: Any) -> str:
    """Ask for a Git ref of the modules; `check` returns reasons against an answer."""
    return fill(f"Version of the modules, such as {newest} (empty: the working tree):", check, present, **streams)


def choose(subject: Subject, chosen: Mapping[str, str] | None = None, **streams: Any) -> dict[str, str]:
    """Show checkboxes of all modules by category; `chosen` are checked, by default those of the environment."""
    import questionary

    present = chosen or {unit.name: unit.module for unit in subject.environment.units.values()}
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

    text = f"Modules of {subject.environment.name} (ngp adds the modules that they need)"
    asked = questionary.checkbox(text, offered, validate=validate, **_search(offered), **streams)
    return dict(_run(asked))


def answer(questions: Sequence[Question], choice: Choice, **streams: Any) -> Choice | None:
    """Return the choice with an answer to each question; None if the person goes back from the first one."""
    answers: dict[int, str] = {}
    at = 0
    while at < len(questions):
        given = _run(_asked(questions[at], answers.get(at), streams), may_go_back=True)
        if given is _BACK and at == 0:
            return None
        if given is not _BACK:
            answers[at] = str(given)
        at += -1 if given is _BACK else 1
    settings, wires = dict(choice.settings), dict(choice.wires)
    for at, question in enumerate(questions):
        if question.choices:
            wires[question.key[0], question.key[1]] = next(ref for ref in question.choices if str(ref) == answers[at])
        else:
            settings[question.key] = answers[at]
    return replace(choice, settings=settings, wires=wires)


def label(unit: str, module: Module) -> str:
    """Return the label of a checkbox."""
    name = unit if unit == module.name else f"{unit} ({module.name})"
    legacy = " [legacy]" if module.manifest.status is ModuleStatus.LEGACY else ""
    return f"{name}{legacy}: {module.manifest.title}"


def explain(chosen: dict[str, str], catalogue: Catalogue) -> str:
    """Return why the chosen modules conflict, "" if they do not."""
    return "; ".join(f"{each.what}: {each.why}" for each in choosing.conflicts(chosen, catalogue))


def _asked(question: Question, before: str | None, streams: Mapping[str, Any]) -> Any:
    """A question with its default: the answer that was given before, else what is proposed."""
    if question.choices:
        return _select(question.text, [str(ref) for ref in question.choices], streams, before, _HOW_BACK)
    origin = f" ({question.origin})" if question.origin and question.line else ""
    text = f"{question.name}: {question.text}{origin}"
    return _text(text, question.check, question.line if before is None else before, streams, _HOW_BACK)


def _select(
    text: str, names: list[str], streams: Mapping[str, Any], default: str | None = None, instruction: str = ""
) -> Any:
    import questionary

    more: dict[str, Any] = {"instruction": f"({instruction})"} if instruction else {}
    return questionary.select(text, names, default=default, **_search(names), **more, **streams)


def _text(text: str, check: Any, default: str, streams: Mapping[str, Any], instruction: str = "") -> Any:
    import questionary

    def validate(answer: str) -> bool | str:
        return "; ".join(check(answer)) or True

    more: dict[str, Any] = {"instruction": f"({instruction}) "} if instruction else {}
    return questionary.text(text, default=default, validate=validate, **more, **streams)


def _search(choices: Sequence[Any]) -> dict[str, Any]:
    return {"use_search_filter": True, "use_jk_keys": False} if len(choices) >= _MANY else {}


def _run(question: Any, *, may_go_back: bool = False) -> Any:
    """Ask; nothing is cut at the edge of the terminal. With `may_go_back` Shift-Tab and Escape give _BACK."""
    from prompt_toolkit.filters import Always
    from prompt_toolkit.key_binding import KeyBindings, merge_key_bindings

    application = question.application
    for window in application.layout.find_all_windows():
        window.wrap_lines = Always()
        if window.height == 1:  # the line of what is wrong with an answer
            window.height = None
            window.dont_extend_height = Always()
    if may_go_back:
        keys = KeyBindings()
        for key in ("s-tab", "escape"):
            keys.add(key, eager=True)(lambda event: event.app.exit(result=_BACK))
        application.key_bindings = merge_key_bindings([application.key_bindings, keys])
    return question.unsafe_ask()
