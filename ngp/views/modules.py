"""Shows the catalogue: a table of modules, one module with its inputs and outputs, and faults."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any

from ngp.catalogue.module import Catalogue, Module, ModuleStatus, Output, Variable
from ngp.settings import Settings
from ngp.views import findings, places, terminal

if TYPE_CHECKING:
    from pathlib import Path

    from ngp.catalogue.checks import Checked
    from ngp.catalogue.rules.source import Fault
    from ngp.rendering.adopting import Adopted


def print_broken(catalogue: Catalogue, settings: Settings) -> None:
    """Warn of modules that cannot be read, on stderr."""
    for name, found in catalogue.broken.items():
        for finding in found:
            terminal.say(settings, f"warning: cannot read the module `{name}`: {finding}", always=True)


def show_list(modules: Iterable[Module], settings: Settings) -> None:
    """A table on stdout, by category."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("module", "category", "status", "what it creates"):
        table.add_column(heading)
    for module in sorted(modules, key=lambda each: (each.manifest.category, each.name)):
        manifest = module.manifest
        cells = (module.name, manifest.category, manifest.status.value, manifest.summary)
        table.add_row(*map(terminal.line, cells), style="dim" if manifest.status is ModuleStatus.LEGACY else "")
    terminal.out(settings).print(table)


def show(module: Module, settings: Settings) -> None:
    """One module on stdout: what it is, what it needs, what it gives."""
    manifest = module.manifest
    lines = [f"{module.name} {manifest.version}: {manifest.title}", manifest.summary, ""]
    facts = {
        "category": manifest.category,
        "status": manifest.status.value,
        "requires": ", ".join(manifest.requires),
        "provides": ", ".join(manifest.provides),
        "conflicts": "; ".join(f"{name} ({why})" for name, why in manifest.conflicts.items()),
        "reveals": ", ".join(manifest.reveal),
        "cost": manifest.cost,
        "copy of": f"{manifest.source.address} {manifest.source.commit[:12]}".rstrip() if manifest.source else "",
    }
    lines += [f"{label + ':':<11}{text}" for label, text in facts.items() if text]
    lines += ["", "inputs", *(_input(variable) for variable in module.variables.values())]
    lines += ["", "outputs", *(f"  {name}: {output.description}" for name, output in module.outputs.items())]
    console = terminal.out(settings)
    for text in lines:
        console.print(terminal.line(text), soft_wrap=True)


class CheckProgress:
    """One line on stderr for each module that was checked, from any thread."""

    def __init__(self, total: int, settings: Settings) -> None:
        self._total, self._settings = total, settings
        self._done, self._lock = 0, Lock()

    def on_checked(self, checked: Checked) -> None:
        found = f"{len(checked.faults)} found" if checked.faults else "ok"
        with self._lock:
            self._done += 1
            took = terminal.duration(checked.duration_s)
            terminal.say(self._settings, f"[{self._done}/{self._total}] {checked.module}: {found} ({took})")


def show_faults(faults: Sequence[Fault], checked: Sequence[str], settings: Settings) -> None:
    """The faults on stdout, each with its module and rule; without any, how many modules were checked."""
    console = terminal.out(settings)
    for fault in faults:
        block = findings.block(fault.finding, word=f"{fault.module} [{fault.rule}]")
        console.print(terminal.line(block), soft_wrap=True)
    if not faults:
        amount = terminal.amount(len(checked), "module")
        passed = f"{amount} checked, nothing found" if checked else "this platform has no modules"
        console.print(terminal.line(passed), soft_wrap=True)


def print_new(name: str, written: Sequence[Path], settings: Settings) -> None:
    """The files of a new module on stderr, and what to do next."""
    for path in written:
        terminal.say(settings, f"wrote {path}")
    terminal.say(settings, f"next: ngp module check {name} && ngp render, then ngp configure ENV")


def show_pages(stale: Sequence[Path], settings: Settings, *, written: bool) -> None:
    """The pages that were stale on stdout."""
    for path in stale:
        text = f"{'wrote' if written else 'stale'} {path}"
        terminal.out(settings).print(terminal.line(text), soft_wrap=True)
    if not stale:
        terminal.say(settings, "every page is up to date")
    elif not written:
        terminal.say(settings, "stale: run `ngp module docs`")


def show_changes(name: str, changes: Sequence[str], settings: Settings) -> None:
    """What another version of a copy changes, on stderr: before the question whether to take it."""
    terminal.say(settings, f"the catalogue already has {name}; the new version differs:", always=True)
    for change in changes:
        terminal.say(settings, f"  {change}", always=True)


def show_adoption(done: Adopted, settings: Settings) -> None:
    """What was done to add a module, and what is wired, on stderr."""
    name, found = done.name, done.adoption
    if not (done.written or done.removed):
        terminal.say(settings, f"{name} already is {found.origin.address}: nothing to change")
        return
    for verb, paths in (("wrote", done.written), ("removed", done.removed)):
        for path in paths:
            terminal.say(settings, f"{verb} {path}")
    for label, names in (("is wired", found.requires), ("can feed others", found.provides)):
        if names:
            terminal.say(settings, f"{label}: {', '.join(names)}")
    terminal.say(settings, f"next: read modules/{name}, then ngp module check {name} && ngp render")


def adoption_document(done: Adopted) -> dict[str, Any]:
    """``ngp.module.add/1``; `changes` is null of a module that is new."""
    return {
        "schema": "ngp.module.add/1",
        "name": done.name,
        "source": done.adoption.origin,
        "requires": done.adoption.requires,
        "provides": done.adoption.provides,
        "changes": done.adoption.changes,
        "written": done.written,
        "removed": done.removed,
    }


def list_document(modules: Iterable[Module]) -> dict[str, Any]:
    """``ngp.module.list/1``."""
    return {"schema": "ngp.module.list/1", "modules": [summary(module) for module in modules]}


def summary(module: Module) -> dict[str, Any]:
    """A module as `module list --json` gives it."""
    manifest = module.manifest
    return {
        "name": module.name,
        "title": manifest.title,
        "summary": manifest.summary,
        "category": manifest.category,
        "status": manifest.status,
        "version": manifest.version,
        "requires": manifest.requires,
        "provides": manifest.provides,
        "conflicts": manifest.conflicts,
    }


def document(module: Module) -> dict[str, Any]:
    """``ngp.module.show/1``."""
    return {
        "schema": "ngp.module.show/1",
        **summary(module),
        "manifest": module.manifest,
        "inputs": [_input_fields(variable) for variable in module.variables.values()],
        "outputs": [_output_fields(output) for output in module.outputs.values()],
    }


def faults_document(faults: Sequence[Fault], checked: Sequence[str]) -> dict[str, Any]:
    """``ngp.module.check/1``."""
    found = [{"module": fault.module, "rule": fault.rule, **places.finding(fault.finding)} for fault in faults]
    return {"schema": "ngp.module.check/1", "modules": checked, "findings": found}


def _input(variable: Variable) -> str:
    marks = [variable.type_text if "\n" not in variable.type_text else f"{variable.type_text.split('(')[0]}(…)"]
    marks += [] if variable.has_default else ["required"]
    marks += [word for word in ("sensitive", "ephemeral") if getattr(variable, word)]
    return f"  {variable.name} ({', '.join(marks)}): {variable.description}"


def _input_fields(variable: Variable) -> dict[str, Any]:
    return {
        "name": variable.name,
        "type": variable.type_text,
        "description": variable.description,
        "has_default": variable.has_default,
        "default": variable.default,
        "sensitive": variable.sensitive,
        "ephemeral": variable.ephemeral,
        "nullable": variable.nullable,
        "validations": [each.message for each in variable.validations],
        **places.at(str(variable.place)),
    }


def _output_fields(output: Output) -> dict[str, Any]:
    return {
        "name": output.name,
        "description": output.description,
        "sensitive": output.sensitive,
        "ephemeral": output.ephemeral,
        **places.at(str(output.place)),
    }
