"""Strict YAML: 1.2 scalars (`on`, `no` and `010` are strings), no duplicate keys, the line of every key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ngp import conflicts
from ngp.errors import UsageError

# Core schema of YAML 1.2.2, section 10.3.2
_SCALARS = (
    ("null", r"(?:~|null|Null|NULL|)$", list("~nN") + [""]),
    ("bool", r"(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"(?:[-+]?(?:0|[1-9][0-9]*)|0o[0-7]+|0x[0-9a-fA-F]+)$", list("-+0123456789")),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$",
        list("-+.0123456789"),
    ),
)


_MOST_LEVELS = 200
_MOST_VALUES = 100_000  # far beyond any file that somebody writes


@dataclass(frozen=True)
class Document:
    """A YAML document: `data` is plain Python; `lines` has the line (from 1) of every key and item by dotted path
    (``units.vpn``)."""

    path: Path
    data: Any
    lines: Mapping[str, int]

    def where(self, key: str) -> str:
        """Return ``file:line`` of a dotted path, or of the nearest known one above it."""
        while key and key not in self.lines:
            key = key.rpartition(".")[0]
        return f"{self.path}:{self.lines[key]}" if key else str(self.path)


def load(path: Path) -> Document:
    """Load one YAML document. Raises UsageError with file:line for anything but strict YAML."""
    return parse(read(path), path)


def read(path: Path) -> str:
    """Return the text of a file. Raises UsageError if it does not exist or is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UsageError("this file does not exist", where=str(path)) from None
    except UnicodeDecodeError as error:
        raise UsageError("this file is not UTF-8", where=str(path), why=str(error)) from None


def parse(text: str, path: Path) -> Document:
    """Like `load`, for a text; `path` is for messages only."""
    import yaml

    lines: dict[str, int] = {}
    try:
        _require_flat(text)
        loader = _loader()(text)
        try:
            node = loader.get_single_node()
            data = None if node is None else _Reading(loader, path, lines).value(node, "")
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{path}:{mark.line + 1}" if mark else str(path)
        why = str(error.problem or error.context)
        raise conflicts.explain(text, path) or UsageError("this file is not valid YAML", where=place, why=why) from None
    except yaml.reader.ReaderError as error:
        line = text.encode()[: error.position].count(b"\n") + 1
        raise UsageError("this file is not valid YAML", where=f"{path}:{line}", why=str(error.reason)) from None
    except RecursionError:
        raise UsageError("this is nested too deeply", where=str(path)) from None
    return Document(path, data, lines)


def _require_flat(text: str) -> None:
    """Raise RecursionError for a text that is nested too deeply: libyaml would end the process."""
    import yaml

    if sum(map(text.count, "[{-:?")) <= _MOST_LEVELS:  # no level without one of them
        return
    depth, loader = 0, _loader()(text)
    try:
        while loader.check_event():
            event = loader.get_event()
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _MOST_LEVELS:
                raise RecursionError
    finally:
        loader.dispose()


@dataclass
class _Reading:
    """Makes plain data of nodes and notes their lines. `left` bounds what aliases of aliases may grow to."""

    loader: Any
    path: Path
    lines: dict[str, int]
    left: int = _MOST_VALUES

    def value(self, node: Any, key: str) -> Any:
        line = node.start_mark.line + 1
        self.left -= 1
        if self.left < 0:
            raise self.error(
                "this holds too many values", line, f"more than {_MOST_VALUES}, with all aliases written out"
            )
        if key:
            self.lines.setdefault(key, line)
        if node.id == "mapping":
            return self.mapping(node, key)
        if node.id == "sequence":
            return [self.value(item, f"{key}.{index}") for index, item in enumerate(node.value)]
        try:
            return self.loader.construct_object(node)
        except (ValueError, LookupError, AttributeError):  # what PyYAML's constructors raise for a tag's wrong text
            raise self.error(f"`{node.value[:40]}` cannot be read as {node.tag.rpartition(':')[2]}", line) from None

    def mapping(self, node: Any, key: str) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if key_node.id != "scalar":
                raise self.error("a key must be a plain word", line)
            name = key_node.value
            inner = f"{key}.{name}" if key else name
            if name in result:
                raise self.error(f"`{name}` is defined twice", line, f"the first is in line {self.lines[inner]}")
            self.lines[inner] = line
            result[name] = self.value(value_node, inner)
        return result

    def error(self, what: str, line: int, why: str = "") -> UsageError:
        return UsageError(what, where=f"{self.path}:{line}", why=why)


@cache
def _loader() -> Any:
    import yaml

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    strict: Any = type("StrictLoader", (base,), {"yaml_implicit_resolvers": {}})
    for name, pattern, first in _SCALARS:
        strict.add_implicit_resolver(f"tag:yaml.org,2002:{name}", re.compile(pattern), first)
    strict.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(loader.construct_scalar(node), 0))
    strict.add_constructor("tag:yaml.org,2002:float", lambda loader, node: float(loader.construct_scalar(node)))
    return strict
