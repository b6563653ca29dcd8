"""Terraform's type constraints as values (Terraform language, "Type Constraints")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Primitive:
    name: str  # string, number, bool


@dataclass(frozen=True)
class Anything:
    """``any``: the value decides."""


@dataclass(frozen=True)
class Collection:
    kind: str  # list, set, map
    element: Type


@dataclass(frozen=True)
class Attribute:
    type: Type
    optional: bool = False


@dataclass(frozen=True)
class Structure:
    """``object({…})``."""

    attributes: Mapping[str, Attribute]


@dataclass(frozen=True)
class Sequence:
    """``tuple([…])``."""

    elements: tuple[Type, ...]


Type = Primitive | Anything | Collection | Structure | Sequence
STRING, NUMBER, BOOL, ANY = Primitive("string"), Primitive("number"), Primitive("bool"), Anything()
