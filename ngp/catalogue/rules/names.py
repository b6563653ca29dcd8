"""Names that a module's expressions can use, with their values as far as they are known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from ngp.catalogue import evaluating, hcl
from ngp.catalogue.module import Module
from ngp.catalogue.operators import UnknownError


class Blocks(Protocol):
    """The blocks and locals of a module's files (`rules.source.ModuleSource`)."""

    @property
    def locals(self) -> Mapping[str, hcl.Attribute]:
        """The locals by name."""

    def of(self, block_type: str, *types: str) -> Iterator[hcl.Block]:
        """The blocks of a type."""


def scope(source: Blocks, *, busy: frozenset[str] = frozenset(), **given: Any) -> dict[str, Any]:
    """Return a scope for `evaluating` with the module's locals, and the arguments of its resources and data sources.

    `given` are more names, such as `var`; `busy` are the places whose evaluation needs this scope.
    """

    def lazy(attributes: Mapping[str, hcl.Attribute]) -> _Lazy:
        return _Lazy(attributes, source, busy, given)

    found: dict[str, Any] = _typed(source, "resource", lazy)
    return {**found, "data": _typed(source, "data", lazy), "local": lazy(source.locals), **given}


def defaults(module: Module) -> dict[str, Any]:
    """Return the inputs' defaults; those without one are unknown."""
    variables = module.variables
    return {name: each.default if each.has_default else evaluating.UNSET for name, each in variables.items()}


class _Lazy(Mapping[str, Any]):
    """Attributes by name, each evaluated when it is asked for."""

    def __init__(
        self, attributes: Mapping[str, hcl.Attribute], source: Blocks, busy: frozenset[str], given: Mapping[str, Any]
    ) -> None:
        self._attributes, self._source, self._busy, self._given = attributes, source, busy, given

    def __getitem__(self, name: str) -> Any:
        attribute = self._attributes.get(name)
        if attribute is None:
            raise UnknownError(name)
        key = f"{attribute.where} {name}"
        if key in self._busy:
            raise UnknownError("a circle")
        return evaluating.evaluate(attribute, scope(self._source, busy=self._busy | {key}, **self._given))

    def __contains__(self, name: object) -> bool:
        return True  # what stands nowhere, a provider computes

    def __iter__(self) -> Iterator[str]:
        return iter(self._attributes)

    def __len__(self) -> int:
        return len(self._attributes)


def _typed(source: Blocks, block_type: str, lazy: Any) -> dict[str, dict[str, _Lazy]]:
    found: dict[str, dict[str, _Lazy]] = {}
    for block in source.of(block_type):
        if len(block.labels) == 2 and not {"count", "for_each"} & block.body.attributes.keys():
            found.setdefault(block.labels[0], {})[block.labels[1]] = lazy(block.body.attributes)
    return found
