"""The calendar of ends of support (support.yaml), and its answers about a module's versions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

from ngp import yaml
from ngp.errors import UsageError, nearest

FILE = Path(__file__).parent / "support.yaml"
WARN_DAYS, FAIL_DAYS = 180, 90


@dataclass(frozen=True)
class Product:
    """Something with versions. `ends` is the last day of standard support by version; `source` is who decides it.

    `unpublished` says by version what is known where nobody names a day.
    """

    title: str
    source: str
    ends: Mapping[str, date]
    unpublished: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class End:
    """The last day of standard support of a version in use."""

    product: Product
    version: str
    last_day: date

    def days_left(self, today: date) -> int:
        """Days from today to the end; negative once it is over."""
        return (self.last_day - today).days

    def describe(self, today: date) -> str:
        """Return one sentence for people."""
        days = self.days_left(today)
        when = f"in {days} day{'' if days == 1 else 's'}" if days > 0 else "today" if days == 0 else f"{-days} days ago"
        verb = "ends" if days >= 0 else "ended"
        return f"standard support of {self.product.title} {self.version} {verb} on {self.last_day}, {when}"


@cache
def calendar() -> Mapping[str, Product]:
    """Return all products of the calendar by name."""
    data = yaml.load(FILE).data
    return {
        name: Product(
            each["title"],
            each["source"],
            {key: date.fromisoformat(day) for key, day in each["ends"].items()},
            each.get("unpublished", {}),
        )
        for name, each in data["products"].items()
    }


def today() -> date:
    """Return today's date in UTC."""
    return datetime.now(UTC).date()


def find(name: str, version: str) -> End | None:
    """Return the end of a version's support, by the longest version that the calendar has of it; None if unknown.

    Raises: UsageError for an unknown product.
    """
    product, plain = _product(name), version.rpartition("_")[2]  # OpenSearch_2.19
    known = _release(product.ends, plain)
    return End(product, plain, product.ends[known]) if known else None


def describe(name: str, version: str, today: date) -> str:
    """Return one sentence about a version whose end is near, over or unpublished; "" for others.

    Raises: UsageError for an unknown product.
    """
    end = find(name, version)
    if end is not None:
        return end.describe(today) if near([end], today) else ""
    product = _product(name)
    return product.unpublished.get(_release(product.unpublished, version), "")


def _product(name: str) -> Product:
    product = calendar().get(name)
    if product is None:
        raise UsageError(f"the calendar has no product `{name}`", todo=nearest(name, calendar()))
    return product


def _release(versions: Iterable[str], version: str) -> str:
    """The longest of these versions that a version belongs to, "" for none."""
    return next((each for each in sorted(versions, key=len, reverse=True) if f"{version}.".startswith(f"{each}.")), "")


def inputs(item: str) -> Iterator[str]:
    """Return the inputs in an item of a manifest's `support`: `eks:{kubernetes_version}` → kubernetes_version."""
    for part in item.split("{")[1:]:
        yield part.partition("}")[0]


def resolve(item: str, values: Mapping[str, object]) -> End | None:
    """Return the end of an item's version with these inputs; None if the calendar has none."""
    name, _, version = item.format_map({key: values[key] for key in inputs(item)}).partition(":")
    return find(name, version)


def near(ends: Iterable[End], today: date) -> list[End]:
    """Return those that end within WARN_DAYS or have ended, earliest first."""
    return sorted((end for end in ends if end.days_left(today) <= WARN_DAYS), key=lambda end: end.last_day)
