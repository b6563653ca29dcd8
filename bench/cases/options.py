"""What may be asked of the benchmark."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """`units` is the size of the environment that is planned and applied, `sizes` are those that are only looked at."""

    units: int = 12
    sizes: tuple[int, ...] = (100, 1000, 10_000)
    repeats: int = 3
    parallelism: int = 2
