"""The rule about ends of support: the defaults of a module are good for some months yet."""

from __future__ import annotations

from collections.abc import Iterator

from ngp.catalogue import support
from ngp.catalogue.rules.source import Fault, ModuleSource
from ngp.errors import UsageError


def defaults(source: ModuleSource) -> Iterator[Fault]:
    """What `support` in the manifest names is known, and its default versions do not end within FAIL_DAYS."""
    module, where = source.module, str(source.module.path / "module.yaml")
    for item in module.manifest.support:
        unknown = [name for name in support.inputs(item) if name not in module.variables]
        for name in unknown:
            yield source.fault("support", f"`{item}` names the input `{name}`, which the module does not have", where)
        if unknown:
            continue
        try:
            end = support.resolve(item, {name: module.variables[name].default for name in support.inputs(item)})
        except UsageError as error:
            yield source.fault("support", f"`{item}`: {error.findings[0].what}", where, todo=error.findings[0].todo)
            continue
        today = support.today()
        if end is not None and end.days_left(today) <= support.FAIL_DAYS:
            first = next(support.inputs(item), "")
            place = str(module.variables[first].place) if first else where
            yield source.fault(
                "support",
                f"the default is near its end: {end.describe(today)}",
                place,
                why="who takes the default today would have to upgrade within weeks",
                todo=f"choose a later version; the dates are those of {end.product.source}",
            )
