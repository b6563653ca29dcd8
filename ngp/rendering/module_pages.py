"""The generated part of a module's README.md, between two markers: facts from its HCL and its manifest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ngp import files
from ngp.catalogue import contents, hcl, loading, types
from ngp.catalogue.checks import Rule
from ngp.catalogue.contents import Contents, NetworkRule, PolicyStatement, Resource
from ngp.catalogue.module import Effect, Manifest, Module, Variable
from ngp.catalogue.rules import source
from ngp.catalogue.rules.pages import BEGIN, END
from ngp.catalogue.rules.source import Fault, ModuleSource
from ngp.catalogue.rules.wiring import NAMING
from ngp.environments.environment import Platform
from ngp.environments.values import COMMON_INPUTS, FACTS
from ngp.errors import UsageError
from ngp.rendering.markdown import code, prose, table

_COMMON = frozenset({*COMMON_INPUTS, *FACTS, "unit"})
_LONGEST = 48  # characters of a type or a default in a table
_OBJECT = re.compile(r"object\(\{[^{}]*\}\)")
_EXPRESSION = re.compile(r"(each|var|local)\.")
_EFFECTS: Mapping[Effect, str] = {
    Effect.IN_PLACE: "in place",
    Effect.RESTART: "**restarts**",
    Effect.ROLLING: "**by turns**",
    Effect.REPLACE: "**replaces**",
}
_NAMED = "What is named by an input (*new names*) is made anew when that changes: treat those as fixed."


def collect(catalogue: Path, names: Sequence[str] = (), cache: Path | None = None) -> dict[Path, str]:
    """Return the renewed page of each named module (all without names); `cache` is `loading.load`'s.

    The page of an adopted module belongs to its author, and is left out. Raises UsageError for unknown names, broken
    modules or wrong markers.
    """
    chosen = loading.choose(catalogue, names)
    loaded = loading.load(catalogue, cache)
    loaded.require(each.name for each in chosen)
    modules = loaded.modules
    given_by = providers(modules.values())
    sources = [source.load(modules[each.name]) for each in chosen if modules[each.name].manifest.source is None]
    return {each.page: renew(each, given_by) for each in sources}


@dataclass(frozen=True)
class PageUpdate:
    """The modules whose pages were looked at, and the pages (relative to the platform) that were stale."""

    modules: tuple[str, ...]
    stale: tuple[Path, ...]


def update(platform: Platform, names: Sequence[str] = (), *, write: bool) -> PageUpdate:
    """Renew the stale pages of modules, of all without names; unless `write`, only say which they are.

    Raises what `collect` raises, and LockHeldError (5) while another ngp writes.
    """
    pages = collect(platform.path / "modules", names, platform.cache)
    stale = {path: text for path, text in pages.items() if hcl.read(path) != text}
    if write:
        with files.lock(platform.workspace.platform_lock, purpose="ngp module docs"):
            files.write_all(stale)
    return PageUpdate(
        tuple(path.parent.name for path in pages), tuple(path.relative_to(platform.path) for path in stale)
    )


def freshness(catalogue: Path, cache: Path | None = None) -> Rule:
    """Return the rule that the page of a module is up to date with its HCL and its manifest."""
    given_by = providers(_loadable(catalogue, cache))

    def fresh(found: ModuleSource) -> Iterator[Fault]:
        if not found.page.is_file():
            return  # the rule `files` reports this
        try:
            is_fresh = renew(found, given_by) == found.page.read_text(encoding="utf-8")
        except UsageError as error:
            yield Fault(found.module.name, "docs", error.findings[0])
            return
        if not is_fresh:
            todo = f"ngp module docs {found.module.name}"
            yield found.fault("docs", "the generated part of the page is missing or stale", str(found.page), todo=todo)

    return fresh


def renew(found: ModuleSource, given_by: Mapping[str, Sequence[str]]) -> str:
    """Return the text of a module's page with its generated part renewed. Raises UsageError if there is no page."""
    facts = render(found.module, contents.collect(found), given_by)
    return write(hcl.read(found.page), facts, str(found.page)).replace("\r\n", "\n")


def _loadable(catalogue: Path, cache: Path | None) -> Iterator[Module]:
    """Return the modules that load. The rule `load` reports the others."""
    for folder in loading.folders(catalogue):
        with suppress(UsageError):
            yield loading.load_module(folder, cache)


def write(page: str, facts: str, where: str) -> str:
    """Return the page with `facts` between its markers, added at the end if there are none.

    Raises UsageError at `where` for a single or a repeated marker.
    """
    block = f"{BEGIN}\n\n{facts}\n{END}"
    if BEGIN not in page and END not in page:
        return f"{page.rstrip()}\n\n{block}\n"
    if page.count(BEGIN) != 1 or page.count(END) != 1 or page.index(BEGIN) > page.index(END):
        raise UsageError(
            "the marks around the generated part are damaged",
            where=where,
            why=f"`{BEGIN}` and, below it, `{END}` must occur once each",
            todo="fix them, or delete them and what is between them: ngp writes them again at the end of the page",
        )
    head, tail = page[: page.index(BEGIN)], page[page.index(END) + len(END) :]
    return f"{head}{block}{tail}"


def providers(modules: Iterable[Module]) -> dict[str, list[str]]:
    """Return the modules that provide each output."""
    found: dict[str, list[str]] = {}
    for module in modules:
        for name in module.manifest.provides:
            found.setdefault(name, []).append(module.name)
    return found


def render(module: Module, made: Contents, given_by: Mapping[str, Sequence[str]]) -> str:
    """Return the facts of a module as Markdown; `given_by` are the modules that provide an output, from `providers`."""
    manifest = module.manifest
    own = [each for each in module.variables.values() if each.name not in _COMMON]
    common = [each for each in module.variables.values() if each.name in _COMMON]
    sections = {
        "Facts": _head(manifest),
        "Wiring": _wiring(manifest, given_by),
        "Inputs": _inputs(own, manifest),
        "Common inputs": f"{_inputs(common, manifest)}\n\n{_NAMED}" if common else "",
        "Outputs": _outputs(module),
        "Resources": _resources(made.resources),
        "Network rules": _network(made.network_rules),
        "Rights": _rights(made.statements, manifest.wildcards),
        "Operation": _operation(manifest),
    }
    texts = (f"##{'' if title == 'Facts' else '#'} {title}\n\n{text}\n" for title, text in sections.items() if text)
    return "\n".join(texts)


def _head(manifest: Manifest) -> str:
    line = f"Status {manifest.status.value}, category {prose(manifest.category)}, version {manifest.version}."
    return f"{line}\n\nCost: {prose(manifest.cost)}" if manifest.cost else line


def _wiring(manifest: Manifest, given_by: Mapping[str, Sequence[str]]) -> str:
    lines = []
    if manifest.requires:
        rows = [(code(name), ", ".join(map(code, given_by.get(name, ()))) or "none yet") for name in manifest.requires]
        lines.append(table(("requires", "given by module"), rows))
    if manifest.provides:
        lines.append(f"Provides {_list(manifest.provides)}.")
    lines += [f"Conflicts with {code(name)}: {prose(why)}." for name, why in manifest.conflicts.items()]
    return "\n\n".join(lines)


def _inputs(variables: Sequence[Variable], manifest: Manifest) -> str:
    if not variables:
        return ""
    rows = [
        (code(each.name), _type(each), _default(each, manifest), prose(each.description), _change(manifest, each))
        for each in variables
    ]
    return table(("input", "type", "default", "meaning", "a change"), rows)


def _type(variable: Variable) -> str:
    text = types.render(variable.type)
    while len(text) > _LONGEST and _OBJECT.search(text):
        text = _OBJECT.sub("object", text)
    marks = [word for word in ("sensitive", "ephemeral") if getattr(variable, word)]
    return ", ".join([code(text), *marks])


def _default(variable: Variable, manifest: Manifest) -> str:
    if variable.name in manifest.requires:
        return "wired"
    if variable.name in manifest.generated:
        return "generated"
    if not variable.has_default:
        return "**required**"
    text = " ".join(hcl.render(variable.default).split())
    return code(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…")


def _change(manifest: Manifest, variable: Variable) -> str:
    """Describe what a change does; for a wired input the other unit decides."""
    upgrade = manifest.upgrade.get(variable.name)
    if upgrade is None:
        is_fed = variable.name in manifest.requires or variable.name in manifest.generated
        return "new names" if variable.name in NAMING else "" if is_fed else _EFFECTS[Effect.IN_PLACE]
    what = " ".join(each for each in (_EFFECTS[upgrade.effect], _list(upgrade.resources)) if each)
    return f"{what}: {prose(upgrade.note)}" if upgrade.note else what


def _outputs(module: Module) -> str:
    if not module.outputs:
        return ""
    rows = [
        (code(each.name), prose(each.description), "yes" if each.sensitive else "") for each in module.outputs.values()
    ]
    return table(("output", "meaning", "sensitive"), rows)


def _resources(resources: Sequence[Resource]) -> str:
    names: dict[str, list[str]] = {}
    for each in resources:
        names.setdefault(each.type, []).append(f"{each.name}[]" if each.repeated else each.name)
    if not names:
        return ""
    rows = [(code(type_), str(len(found)), _list(found)) for type_, found in sorted(names.items())]
    return f"`[]` is made any number of times, or not at all.\n\n{table(('type', 'blocks', 'names'), rows)}"


def _network(rules: Sequence[NetworkRule]) -> str:
    if not rules:
        return ""
    rows = [
        (
            code(each.group.removeprefix("aws_security_group.")),
            each.direction,
            "all" if each.protocol == "-1" else code(each.protocol),
            code(each.ports) or "all",
            code(each.peer.removeprefix("aws_security_group.")),
            (code if _EXPRESSION.match(each.description) else prose)(each.description),
            code(each.repeated),
        )
        for each in rules
    ]
    return table(("group", "", "protocol", "ports", "from or to", "what", "for"), rows)


def _rights(statements: Sequence[PolicyStatement], wildcards: Mapping[str, str]) -> str:
    if not statements:
        return ""
    rows = [
        (
            code(each.of),
            code(each.sid),
            ("**never** " if each.is_denied else "") + ", ".join(map(code, each.actions)),
            ", ".join(map(code, each.targets)),
            ", ".join(map(code, each.conditions)),
        )
        for each in statements
    ]
    reasons = [f"- {code(action)} on every resource: {prose(why)}" for action, why in wildcards.items()]
    parts = [table(("of", "statement", "may", "on, or for whom", "if"), rows), "\n".join(reasons)]
    return "\n\n".join(part for part in parts if part)


def _operation(manifest: Manifest) -> str:
    ready = [
        f"{each.kind} {code(each.target)}{_expected(each.expect)} within {each.timeout_s} s" for each in manifest.ready
    ]
    lines = {
        "Ready when": ", ".join(ready),
        "Looked at before": _list(manifest.preflight),
        "Ends of support looked at": _list(manifest.support),
        "Of the AWS Marketplace": _list(manifest.marketplace),
        "Holds data": _list(manifest.data),
        "Renewed one at a time": _list(manifest.quorum),
        "Secrets made up": _list(manifest.generated),
        "Shown at the end of `ngp apply`": _list(manifest.show),
        "Shown by `ngp output --reveal`": _list(manifest.reveal),
    }
    accepted = [f"- Accepted: {code(name)}: {prose(why)}" for name, why in manifest.exceptions.items()]
    return "\n".join([*(f"- {label}: {text}" for label, text in lines.items() if text), *accepted])


def _expected(text: str) -> str:
    return f" answers {code(text)}" if text else ""


def _list(names: Iterable[str]) -> str:
    return ", ".join(map(code, names))
