"""Edits of environment.yaml that keep all other lines unchanged."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from ngp import yaml
from ngp.environments.wiring import Wires
from ngp.errors import UsageError

Change = Callable[[Any], None]


def edit(text: str, units: Mapping[str, str], wires: Wires, catalogue: str) -> str:
    """Return the text with exactly these units (name → module), wires and catalogue; unchanged if it has them."""
    return apply(text, lambda data: _choose(data, units, wires, catalogue))


def set_facts(text: str, facts: Mapping[str, str], dropped: tuple[str, ...] = ()) -> str:
    """Set top-level scalars, and remove the keys of `dropped`."""
    return apply(text, lambda data: _set_scalars(data, facts, dropped))


def apply(text: str, change: Change) -> str:
    """Change the round-trip data of a YAML text; all other lines stay byte for byte."""
    if "\r\n" in text:
        return apply(text.replace("\r\n", "\n"), change).replace("\n", "\r\n")
    from ruamel.yaml import YAML

    door: Any = YAML()
    door.preserve_quotes, door.width = True, 1 << 20
    step = _indent(text)
    door.indent(mapping=step, sequence=step + 2, offset=step)
    data = door.load(text)
    before = _dump(door, data)
    change(data)
    after = _dump(door, data)
    merged = _merge(text, before, after)
    return merged if _data(merged) == _data(after) else after


def _indent(text: str) -> int:
    """How far the text indents its mappings: as far as its first indented key."""
    match = re.search(r"^( +)[^\s#-]", text, re.MULTILINE)
    return len(match[1]) if match else 2


def _data(text: str) -> Any:
    try:
        return yaml.parse(text, Path("environment.yaml")).data
    except UsageError:
        return None


def _choose(data: Any, units: Mapping[str, str], wires: Wires, catalogue: str) -> None:
    chosen = _mapping(data, "units", units)
    for unit, module in units.items():
        if (chosen.get(unit) or {}).get("module", unit) != module or unit not in chosen:
            _set_module(chosen, unit, module)
    if not wires:
        data.pop("wiring", None)
    else:
        wiring = _mapping(data, "wiring", wires)
        for unit, inputs in wires.items():
            own = _mapping(wiring, unit, inputs)
            for name, ref in inputs.items():
                if own.get(name) != str(ref):
                    own[name] = str(ref)
    if data.get("catalogue", "") != catalogue:
        _set_scalars(data, {"catalogue": catalogue} if catalogue else {}, () if catalogue else ("catalogue",))


def _set_module(chosen: Any, unit: str, module: str) -> None:
    """Make a unit use a module; what else its entry says (tags) stays."""
    kept = {key: value for key, value in (chosen.get(unit) or {}).items() if key != "module"}
    chosen[unit] = _flow(({} if unit == module else {"module": module}) | kept)


def _set_scalars(data: Any, facts: Mapping[str, str], dropped: tuple[str, ...]) -> None:
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString

    for name in dropped:
        data.pop(name, None)
    for name, value in facts.items():
        if data.get(name) != value:
            data[name] = DoubleQuotedScalarString(value) if value.isdigit() else value


def _mapping(parent: Any, name: str, wanted: Mapping[str, Any]) -> Any:
    """The mapping at a key with only those of its keys that are wanted; one that was empty gets a line per entry."""
    found = parent.get(name)
    if not found or not any(key in wanted for key in found):
        found = parent[name] = _flow({})
        if wanted:
            found.fa.set_block_style()
    for key in [key for key in found if key not in wanted]:
        del found[key]
    return found


def _flow(items: Mapping[str, Any]) -> Any:
    from ruamel.yaml.comments import CommentedMap

    made = CommentedMap(items)
    made.fa.set_flow_style()
    return made


def _dump(door: Any, data: Any) -> str:
    stream = io.StringIO()
    door.dump(data, stream)
    return stream.getvalue()


def _merge(text: str, before: str, after: str) -> str:
    """Carry the difference between two dumps over to the text that the first was made from, line by line.

    A dump spaces some lines anew and drops the comments that stand behind a removed key: where text and first dump
    have the same number of lines, unchanged lines come from the text, and no comment is lost.
    """
    lines, old, new = (each.splitlines(keepends=True) for each in (text, before, after))
    if len(lines) != len(old):
        return after
    result: list[str] = []
    for tag, old_start, old_end, new_start, new_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            result += lines[old_start:old_end]
            continue
        result += [kept for line in lines[old_start:old_end] if (kept := _commented(line, new))]
        result += new[new_start:new_end]
    return "".join(result)


def _commented(line: str, new: Sequence[str]) -> str:
    """Return a removed line as a comment, if it has a comment that no new line has; else ""."""
    at = _comment_start(line)
    if at < 0 or any(each.rstrip().endswith(line[at:].rstrip()) for each in new):
        return ""
    code = line.lstrip()
    return line if code.startswith("#") else f"{line[: len(line) - len(code)]}# {code}"


def _comment_start(line: str) -> int:
    """Return the position of the comment in a line of YAML, -1 if there is none."""
    quote, before = "", " "
    for at, mark in enumerate(line):
        if quote:
            quote = "" if mark == quote else quote
        elif mark in "\"'" and before in f" \t[{{,:{mark}":  # doubled, it does not end the text
            quote = mark
        elif mark == "#" and before.isspace():
            return at
        before = mark
    return -1


@dataclass(frozen=True)
class DocumentChanges:
    """Changes of an environment.yaml: units (module, tags), wires ("" removes one), the catalogue (None: unchanged)."""

    units: Mapping[str, tuple[str, Sequence[str]]]
    wires: Mapping[tuple[str, str], str]
    catalogue: str | None = None


def promote(text: str, changes: DocumentChanges) -> str:
    """Put units, wires and the catalogue into a document; everything else stays."""
    return apply(text, lambda data: _promote(data, changes)) if _is_any(changes) else text


def _is_any(changes: DocumentChanges) -> bool:
    return bool(changes.units or changes.wires) or changes.catalogue is not None


def _promote(data: Any, changes: DocumentChanges) -> None:
    chosen = _block(data, "units") if changes.units else {}
    for unit, (module, tags) in changes.units.items():
        chosen[unit] = _flow(({} if unit == module else {"module": module}) | ({"tags": list(tags)} if tags else {}))
    wiring = _block(data, "wiring") if changes.wires else {}
    for (unit, name), ref in changes.wires.items():
        own = wiring.setdefault(unit, _flow({}))
        own.update({name: ref}) if ref else own.pop(name, None)
        if not own:
            del wiring[unit]
    if changes.wires and not wiring:
        del data["wiring"]
    if changes.catalogue is not None:
        kept = {"catalogue": changes.catalogue} if changes.catalogue else {}
        _set_scalars(data, kept, () if kept else ("catalogue",))


def _block(parent: Any, name: str) -> Any:
    """The mapping at a key; one that is missing or empty becomes one with a line per entry."""
    if not parent.get(name):
        parent[name] = _flow({})
        parent[name].fa.set_block_style()
    return parent[name]
