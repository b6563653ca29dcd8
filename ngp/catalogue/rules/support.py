"""The rule that the default versions of a module have some months of support left."""

from __future__ import annotations

from collections.abc import Iterator

from ngp.catalogue import support
from ngp.catalogue.rules.source import Fault, ModuleSource
from ngp.errors import UsageError


def defaults(source: ModuleSource) -> Iterator[Fault]:
    """Require that `support` names known versions, and that no default or dummy of it ends within FAIL_DAYS."""
    module, where = source.module, str(source.module.path / "module.yaml")
    for item in module.manifest.support:
        unknown = [name for name in support.inputs(item) if name not in module.variables]
        for name in unknown:
            yield source.fault("support", f"`{item}` names the input `{name}`, which the module does not have", where)
        if not unknown:
            yield from _ending(source, item, where)


def _ending(source: ModuleSource, item: str, where: str) -> Iterator[Fault]:
    """The end of the defaults, and of the dummies where these say another version."""
    module, inputs = source.module, list(support.inputs(item))
    default = {name: module.variables[name].default for name in inputs}
    dummy = default | {name: module.dummies[name].value for name in inputs if name in module.dummies}
    try:
        ends = {"default": support.resolve(item, default)}
        if dummy != default:
            ends["dummy"] = support.resolve(item, dummy)
    except UsageError as error:
        yield source.fault("support", f"`{item}`: {error.findings[0].what}", where, todo=error.findings[0].todo)
        return
    today = support.today()
    for kind, end in ends.items():
        if end is not None and end.days_left(today) <= support.FAIL_DAYS:
            places = module.dummies if kind == "dummy" else module.variables
            place = next((str(places[name].place) for name in inputs if name in places), where)
            yield source.fault(
                "support",
                f"the {kind} is near its end: {end.describe(today)}",
                place,
                why=f"who takes the {kind} today would have to upgrade within weeks",
                todo=f"choose a later version; the dates are those of {end.product.source}",
            )
