"""The subject of the rules: a module with the bodies of its files and its references."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ngp import yaml
from ngp.catalogue import evaluating, hcl, loading
from ngp.catalogue.module import Module
from ngp.catalogue.operators import ExpressionError, UnknownError
from ngp.catalogue.rules import names
from ngp.catalogue.scanning import Scanned
from ngp.errors import Finding, UsageError
from ngp.terraform.lockfile import Requirement
from ngp.yaml import Document

_REFERENCE = re.compile(r"(?<![\w.\-])(var|local)\.([^\W\d][\w-]*)")
_NOTHING: tuple[object, ...] = (None, False, 0, "", [], {})
_LENGTH = re.compile(r"(?<![\w.\-])length\s*\(")


@dataclass(frozen=True)
class Fault:
    """A broken rule. `rule` is its stable name, `about` the resource that a manifest can except."""

    module: str
    rule: str
    finding: Finding
    about: str = ""


@dataclass(frozen=True)
class ModuleSource:
    """A module and its parsed .tf files."""

    module: Module
    bodies: Mapping[Path, hcl.Body]

    def fault(self, rule: str, what: str, where: str, *, why: str = "", todo: str = "") -> Fault:
        return Fault(self.module.name, rule, Finding(what, where, why, todo))

    def flaw(self, block: hcl.Block, rule: str, what: str, *, where: str = "", todo: str = "") -> Fault:
        """Return a fault of a resource or data source."""
        finding = Finding(what, where or block.where, "", todo)
        return Fault(self.module.name, rule, finding, address(block))

    def of(self, block_type: str, *types: str) -> Iterator[hcl.Block]:
        """Yield the blocks of all files: ``of("resource", "aws_instance")``; without types, all of them."""
        for body in self.bodies.values():
            for block in body.of(block_type):
                if not types or (block.labels and block.labels[0] in types):
                    yield block

    def value(self, body: hcl.Body, path: str) -> object:
        """Return the value of the attribute at a path with every input at its default; None if it is missing, ``…`` if
        only Terraform knows."""
        attribute = at(body, path)
        if attribute is None:
            return None
        try:
            return evaluating.evaluate(attribute, self._defaults)
        except (UnknownError, ExpressionError, RecursionError):
            return ...

    def has(self, body: hcl.Body, path: str) -> bool:
        """Return whether an attribute is set to more than nothing (false, 0, "", null, [] and {}), or a block
        exists."""
        if self.value(body, path) not in _NOTHING:
            return True
        *blocks, name = path.split(".")
        for each in blocks:
            found = next(self.given(body, each), None)
            if found is None:
                return False
            body = found.body
        return any(True for _ in self.given(body, name))

    def given(self, body: hcl.Body, block_type: str) -> Iterator[hcl.Block]:
        """Like `inner`, without a ``dynamic`` that makes no block with every input at its default."""
        for block in body.blocks:
            is_dynamic = block.type == "dynamic" and block.labels == (block_type,)
            if block.type == block_type or (is_dynamic and self.value(block.body, "for_each") not in _NOTHING):
                yield from block.body.of("content") if is_dynamic else (block,)

    @cached_property
    def _defaults(self) -> dict[str, Any]:
        return names.scope(self, var=names.defaults(self.module))

    @property
    def page(self) -> Path:
        return self.module.path / "README.md"

    @cached_property
    def manifest(self) -> Document:
        """module.yaml with its lines."""
        return yaml.load(self.module.path / loading.MANIFEST)

    @cached_property
    def providers(self) -> dict[str, Requirement]:
        """The providers that the module uses, also only by its resources, by their sources as written."""
        required = self.module.required_providers
        places = {name: "" for name in required}
        for kind in ("resource", "data", "ephemeral"):
            for block in self.of(kind):
                own = block.body.attributes.get("provider")
                name = own.text.partition(".")[0] if own else block.labels[0].partition("_")[0]
                places[name] = places.get(name) or block.where
        asked = [
            Requirement(
                required.get(name, {}).get("source", f"hashicorp/{name}"), required.get(name, {}).get("version", ""), at
            )
            for name, at in places.items()
            if name != "terraform"
        ]
        return {each.source: each for each in asked}

    @cached_property
    def locals(self) -> dict[str, hcl.Attribute]:
        return {name: each for block in self.of("locals") for name, each in block.body.attributes.items()}

    @property
    def scanned(self) -> Iterator[Scanned]:
        """The texts of the files with content."""
        found = {item.scanned.path: item.scanned for body in self.bodies.values() for item in _items(body)}
        return iter(found.values())

    def inputs(self, code: str, *, but_lengths: bool = False) -> set[str]:
        """Return the inputs in an expression, directly or through locals; `but_lengths` ignores ``length(…)``."""
        return self._taken(code, but_lengths=but_lengths)[0]

    def locals_in(self, code: str) -> set[str]:
        """Return the locals in an expression, directly or through others."""
        return self._taken(code, but_lengths=False)[1] & self.locals.keys()

    def _taken(self, code: str, *, but_lengths: bool) -> tuple[set[str], set[str]]:
        found: set[str] = set()
        seen: set[str] = set()
        waiting = [code]
        while waiting:
            text = waiting.pop()
            for kind, name in _REFERENCE.findall(_without_lengths(text) if but_lengths else text):
                if kind == "var":
                    found.add(name)
                elif name not in seen:
                    seen.add(name)
                    waiting += [self.locals[name].code] if name in self.locals else []
        return found, seen


def load(module: Module) -> ModuleSource:
    """Parse the files of a module that loads."""
    return ModuleSource(module, loading.bodies(module.path))


def _items(body: hcl.Body) -> Iterator[hcl.Attribute | hcl.Block]:
    for item in body.items:
        yield item
        if isinstance(item, hcl.Block):
            yield from _items(item.body)


def inner(body: hcl.Body, block_type: str) -> Iterator[hcl.Block]:
    """Yield the blocks of a type in a body, including the content of a ``dynamic`` one."""
    for block in body.blocks:
        if block.type == block_type:
            yield block
        elif block.type == "dynamic" and block.labels == (block_type,):
            yield from block.body.of("content")


def code(body: hcl.Body) -> str:
    """Return all code in a body, to find references."""
    parts = [item.code if isinstance(item, hcl.Attribute) else code(item.body) for item in body.items]
    return "\n".join(parts)


def literal(body: hcl.Body, name: str) -> object:
    """Return the literal value of an attribute; None if it is missing or not a literal."""
    attribute = body.attributes.get(name)
    try:
        return hcl.literal(attribute) if attribute else None
    except UsageError:
        return None


def at(body: hcl.Body, path: str) -> hcl.Attribute | None:
    """Return the attribute at a dotted path: the last word names it, the others its blocks."""
    *blocks, name = path.split(".")
    for block in blocks:
        found = next(inner(body, block), None)
        if found is None:
            return None
        body = found.body
    return body.attributes.get(name)


def address(block: hcl.Block) -> str:
    """Return the address of a block: ``aws_instance.this``, ``data.aws_ami.debian``."""
    return ".".join(("data", *block.labels) if block.type == "data" else block.labels)


def _without_lengths(text: str) -> str:
    while match := _LENGTH.search(text):
        end, depth = match.end(), 1
        while end < len(text) and depth:
            depth += (text[end] == "(") - (text[end] == ")")
            end += 1
        text = f"{text[: match.start()]} {text[end:]}"
    return text
