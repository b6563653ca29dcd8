"""Chooses the units of a run that can be planned jointly, and explains why the others cannot."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from ngp.catalogue import hcl
from ngp.rendering import roots, templates
from ngp.runs import copies, graph, wires
from ngp.runs.context import RunContext
from ngp.runs.events import Note
from ngp.runs.units import SINGLE, Unit
from ngp.state.storing import Encryption
from ngp.terraform import fingerprints

# Units in one process. Measured with 8 resources each, on two cores with other work: 200 units were planned in 21 s
# with 180 MB of memory, and applied in 370 s (100 units: 7 s and 47 s). Terraform writes the whole state after each
# resource, so the time grows faster than the number.
MOST = 200
_LOG = logging.getLogger(__name__)
_LISTED = 20  # units that one line names

_OURS = frozenset({*roots.FILES, roots.VALUES, roots.LOCK, wires.FILE})
_VERSIONS = "versions.tf"
_BACKEND = re.compile(r'backend\s+"?[\w-]+"?\s*\{[^}]*\}')
_DATA = re.compile(r'^\s*data\s+"[^"]*"\s+"[^"]*"\s*\{', re.MULTILINE)
_FOLDER = re.compile(r"\bpath\.cwd\b|\babspath\s*\(")
_OUTSIDE = re.compile(r"path\.(?:module|root)\s*\}\s*/\s*\.\.")
_PLACE = re.compile(r'^\s*(?:backend\s+"|cloud\s*\{)|"(?:backend|cloud)"\s*:', re.MULTILINE)
_CONDITION = re.compile(r"\b(?:pre|post)condition\b")
_KEPT = frozenset({"bucket", "key", "region", "profile", "path"})  # these differ by unit, or concern the login
_KNOWN = _KEPT | {"encrypt", "kms_key_id", "use_lockfile", "allowed_account_ids", "assume_role"}

Reasons = Mapping[str, str]  # unit → why it is planned separately


def apart(context: RunContext) -> dict[str, str]:
    """Return the units of a run that must be planned separately, with the reasons; their dependants are among them."""
    chosen = {name: context.units[name] for name in context.needs}
    whole = _whole(context, chosen)
    if whole:
        return dict.fromkeys(chosen, whole)
    found = {name: why for name, unit in chosen.items() if (why := _why(context, unit))}
    found = with_dependants(found, context.needs)
    left = sorted((name for name in chosen if name not in found), key=lambda name: (context.waves[name], name))
    why = f"one process plans at most {MOST} units, and the run has {len(chosen)}: these are of its later waves"
    return with_dependants({**found, **dict.fromkeys(left[MOST:], why)}, context.needs)


def with_dependants(found: Reasons, needs: graph.Needs) -> dict[str, str]:
    """Return `found` with all units of the run that need one of them."""
    reasons = dict(found)
    for name in sorted(found):
        for dependant in sorted(graph.dependants(needs, [name]) - {name}):
            reasons.setdefault(dependant, f"it needs `{name}`, which ngp handles separately")
    return reasons


def emit_reasons(context: RunContext, reasons: Reasons, reported: dict[str, str]) -> None:
    """Emit once which units are planned separately and why, to the screen, the journal and the log."""
    new: dict[str, list[str]] = {}
    for name, why in reasons.items():
        if name not in reported:
            new.setdefault(why, []).append(name)
    reported |= reasons
    for why, names in new.items():
        text = f"ngp plans {_listed(names)} separately: {why}"
        _LOG.debug("%s", text)
        context.emit(Note(text))


def _listed(names: Sequence[str]) -> str:
    """Return the units of one reason, cut after the first few."""
    shown = ", ".join(f"`{name}`" for name in names[:_LISTED])
    return f"{shown} and {len(names) - _LISTED} more" if len(names) > _LISTED else shown


def encryption(unit: Unit, *, is_own_template: bool) -> Encryption:
    """Return how the unit's backend encrypts its state. Only a custom template can differ from the default."""
    if not is_own_template or unit.place.path is not None:
        return Encryption()
    settings = _backend(unit)
    return Encryption(settings.get("kms_key_id", ""), settings.get("encrypt", "true") == "true")


def has_own_versions(context: RunContext) -> bool:
    """Whether the platform overrides the template of versions.tf, which contains the backend."""
    return f"{_VERSIONS}.j2" in _overridden(context)


def means_the_same(context: RunContext, units: Collection[Unit], joint: Mapping[str, str]) -> bool:
    """Whether the joint root's versions.tf equals those of the units, apart from the backend."""
    if not has_own_versions(context):
        return True
    texts = [(unit.root / _VERSIONS).read_text(encoding="utf-8") for unit in units]
    return len({_BACKEND.sub("", text) for text in (joint[_VERSIONS], *texts)}) == 1


def names_its_folder(module: Path) -> bool:
    """Whether the files of a module use `path.cwd` or make a path absolute."""
    return any(
        _FOLDER.search(path.read_text(encoding="utf-8", errors="replace"))
        for ending in fingerprints.ENDINGS
        for path in module.glob(f"*{ending}")
    )


def _whole(context: RunContext, units: Collection[str]) -> str:
    """Return why no unit of this run can be joined, "" if some can."""
    options = context.request.options
    if context.request.is_apart:
        return "you passed --apart"
    if options.extra:
        return "you passed options for Terraform itself"
    if options.refresh_only:
        return "this run only refreshes the states"
    other = _overridden(context) - {f"{_VERSIONS}.j2"} if SINGLE not in units else set[str]()
    return f"the platform has a root template of its own: {', '.join(sorted(other))}" if other else ""


def _why(context: RunContext, unit: Unit) -> str:
    """Return why a unit cannot be joined, "" if it can."""
    own = sorted(set(copies.names(unit.root)) - _OURS)
    modules = set(_modules(unit))
    if unit.name == SINGLE:  # its own root is applied unchanged
        modules.add(unit.root)
        if _has_other_backend(unit.root):
            return "a file of its root other than versions.tf configures the backend"
    elif own:
        return f"its root contains files that ngp did not render: {', '.join(own)}"
    if any(map(names_its_folder, modules)):
        return "a module reads the folder that Terraform starts in"
    if any(map(_reads_outside, modules)):
        return "a module reads files outside of its folder, which could change before they are read again"
    if unit.wires and any(map(_has_guarded_data, modules)):
        return "a joint plan might read a data source with a condition only during the apply"
    if has_own_versions(context) and unit.place.path is None:
        settings = _backend(unit)
        strange = sorted(settings.keys() - _KNOWN)
        if strange or settings.get("use_lockfile") != "true":
            return f"its backend is not one that ngp can lock and write: {', '.join(strange) or 'use_lockfile'}"
    return ""


def _overridden(context: RunContext) -> set[str]:
    platform = context.resolved.platform.path
    own = {path.relative_to(platform / "templates") for path in templates.overrides(platform)}
    return {path.name for path in own if path.parts[0] == "root"}


def _backend(unit: Unit) -> dict[str, str]:
    """Return the settings of a unit's backend block; literals without quotes."""
    body = hcl.load(unit.root / _VERSIONS)
    blocks = [one for block in body.of("terraform") for one in block.body.of("backend")]
    settings = blocks[0].body.attributes if blocks else {}
    return {name: one.text.strip().strip('"') for name, one in settings.items()}


def _modules(unit: Unit) -> Iterator[Path]:
    for source in unit.sources.values():
        yield source
        yield from fingerprints.modules(source)


def _reads_outside(module: Path) -> bool:
    """Whether a module names a file above its folder or contains a link out of it; a copy only links to those."""
    texts = (
        path.read_text(encoding="utf-8", errors="replace")
        for ending in fingerprints.ENDINGS
        for path in module.glob(f"*{ending}")
    )
    if any(_OUTSIDE.search(text) for text in texts):
        return True
    found = (path for path in module.rglob("*") if ".terraform" not in path.relative_to(module).parts)
    links = (path for path in found if path.is_symlink())
    return any(not path.resolve().is_relative_to(module.resolve()) for path in links)


def _has_other_backend(root: Path) -> bool:
    """Whether another file configures a backend than the one that ngp reads."""
    files = (path for ending in fingerprints.ENDINGS for path in root.glob(f"*{ending}") if path.name != _VERSIONS)
    return any(_PLACE.search(path.read_text(encoding="utf-8", errors="replace")) for path in files)


def _has_guarded_data(folder: Path) -> bool:
    """Whether the module has a data source with a condition.

    Terraform reads such a data source only when none of its direct or indirect dependencies is about to change. In a
    joint root those include other units, of which a single root knows only the values.
    """
    for ending in fingerprints.ENDINGS:
        for path in folder.glob(f"*{ending}"):
            text = path.read_text(encoding="utf-8", errors="replace")
            if path.suffix == ".json":
                if '"data"' in text and _CONDITION.search(text):
                    return True
            elif any(_CONDITION.search(_block(text, found.end())) for found in _DATA.finditer(text)):
                return True
    return False


def _block(text: str, start: int) -> str:
    """Return the text up to the brace that closes the one open at `start`, or all of the rest."""
    depth = 1
    for found in re.finditer(r"[{}]", text[start:]):
        depth += 1 if found[0] == "{" else -1
        if depth == 0:
            return text[start : start + found.start()]
    return text[start:]
