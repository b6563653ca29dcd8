"""References of a resource's attributes in the HCL of its module: inputs, other resources, files, literals."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

from ngp.catalogue import hcl, loading
from ngp.errors import UsageError

_NAMED = re.compile(r"(?<![\w.\-])(var|local)\.([^\W\d][\w-]*)")
_DATA = re.compile(r"(?<![\w.\-])data\.([a-z][\w-]*\.[\w-]+)")
_RESOURCE = re.compile(r"(?<![\w.\-])([a-z][a-z0-9]*_[\w-]+\.[\w-]+)")
_FILE = re.compile(r"\$\{path\.module\}/([^\"${}]+)\"")
_REPEATED = re.compile(r"(?<![\w.\-])(?:each|count)\.")
_REPEATING = ("for_each", "count")
_INSTANCE = re.compile(r'\[(?:"(?:[^"\\]|\\.)*"|[^\]]*)\]')


@dataclass(frozen=True)
class Leaf:
    """What a value comes from in the end: ``variable``, ``resource``, ``data``, ``file`` or ``literal``.

    `place` is the line of the expression, or of the variable where a default decides (``default``).
    """

    kind: str
    name: str
    place: str


@dataclass(frozen=True)
class Code:
    """The .tf files of one module. `call` is the block in the module `parent` that calls it, if known."""

    folder: Path
    parent: Code | None = None
    call: hcl.Block | None = field(default=None, repr=False)

    @cached_property
    def _bodies(self) -> tuple[hcl.Body, ...]:
        return tuple(_parsed(self.folder))

    def blocks(self, kind: str) -> Iterator[hcl.Block]:
        """All blocks of one kind."""
        for body in self._bodies:
            yield from body.of(kind)

    @cached_property
    def _locals(self) -> dict[str, hcl.Attribute]:
        return {name: one for block in self.blocks("locals") for name, one in block.body.attributes.items()}

    @cached_property
    def resources(self) -> dict[str, hcl.Block]:
        """The resource blocks by ``type.name``."""
        return {".".join(block.labels): block for block in self.blocks("resource")}

    def called(self, name: str) -> Code | None:
        """Return the module that a block calls, None if it is not beside this one."""
        for block in self.blocks("module"):
            source = block.body.attributes.get("source")
            if block.labels == (name,) and source and source.text.startswith('"./') | source.text.startswith('"../'):
                folder = self.folder / source.text.strip('"')
                return Code(folder, self, block) if folder.is_dir() else None
        return None

    def leaves(self, block: hcl.Block, attributes: Iterable[hcl.Attribute]) -> list[Leaf]:
        """Return the origins of some attributes of a resource, each once; inputs are those of the outermost module."""
        found: list[Leaf] = []
        for attribute in attributes:
            found += self.follow(attribute, frozenset())
            if _REPEATED.search(attribute.code):
                found += [one for each in repeating(block) for one in self.follow(each, frozenset())]
        return sorted(dict.fromkeys(found), key=lambda leaf: leaf.kind == "literal")

    def follow(self, attribute: hcl.Attribute, seen: frozenset[str]) -> list[Leaf]:
        """Return the origin of one expression; `seen` are the locals on the way."""
        found: list[Leaf] = []
        for kind, name in _NAMED.findall(attribute.code):
            if kind == "var":
                found += self._input(name, attribute)
            elif name in self._locals and name not in seen:
                found += self.follow(self._locals[name], seen | {name})
        found += [Leaf("data", name, attribute.where) for name in _DATA.findall(attribute.code)]
        code = _DATA.sub("", attribute.code)
        found += [Leaf("resource", name, attribute.where) for name in _RESOURCE.findall(code)]
        found += [Leaf("file", name, str(self.folder / name)) for name in _FILE.findall(attribute.text)]
        if not found and not _REPEATED.search(attribute.code):
            found.append(Leaf("literal", "", attribute.where))
        return found

    def _input(self, name: str, attribute: hcl.Attribute) -> list[Leaf]:
        if self.parent is None or self.call is None:
            return [Leaf("variable", name, attribute.where)]
        given = self.call.body.attributes.get(name)
        if given is not None:
            return self.parent.follow(given, frozenset())
        declared = (block.where for block in self.blocks("variable") if block.labels == (name,))
        return [Leaf("default", name, next(declared, attribute.where))]


def find(folder: Path, address: str) -> tuple[Code, hcl.Block] | None:
    """Return the block of the resource at an address inside of a module (``module.child.aws_vpc.this[0]``)."""
    code: Code | None = Code(folder)
    words = _INSTANCE.sub("", address).split(".")
    while len(words) > 2 and words[0] == "module":
        code = code.called(words[1]) if code else None
        words = words[2:]
    block = code.resources.get(".".join(words)) if code else None
    return (code, block) if code and block else None


def inside(block: hcl.Block, name: str) -> list[hcl.Attribute]:
    """Return what a resource block says of one attribute: its expression, or all in its nested blocks of that name."""
    if name in block.body.attributes:
        return [block.body.attributes[name]]
    nested = [one for one in block.body.blocks if one.type == name or (one.type == "dynamic" and one.labels == (name,))]
    return [attribute for one in nested for attribute in _all(one.body)]


def repeating(block: hcl.Block) -> list[hcl.Attribute]:
    """Return the `for_each` or `count` of a block."""
    return [block.body.attributes[name] for name in _REPEATING if name in block.body.attributes]


def _all(body: hcl.Body) -> Iterator[hcl.Attribute]:
    yield from body.attributes.values()
    for block in body.blocks:
        yield from _all(block.body)


@lru_cache(maxsize=256)
def _parsed(folder: Path) -> tuple[hcl.Body, ...]:
    try:
        return tuple(loading.bodies(folder).values())
    except UsageError:
        return ()  # Terraform says what is wrong with it
