"""Options of the benchmark."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """`units` is the size of the environment to plan and apply, `sizes` are those of platforms that are only read."""

    units: int = 12
    sizes: tuple[int, ...] = (100, 1000, 10_000)
    repeats: int = 3
    parallelism: int = 2
