"""Attempts of a Terraform call: calls with running providers may be tried more than once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Attempt:
    """One attempt: variables that are added to Terraform's environment. Only the last one may show its output."""

    environ: Mapping[str, str] = field(default_factory=dict)
    is_last: bool = True


Go = Callable[[Attempt], str]  # makes an attempt; returns Terraform's errors, "" if it succeeded or was stopped


class Attempts(Protocol):
    """Runs calls with providers that run already (implemented by `serving.Serving`)."""

    @property
    def is_open(self) -> bool:
        """Whether it can serve."""

    def run(self, root: Path, data: Path, verb: str, go: Go, *, calls: Path | None = None) -> bool:
        """Make attempts with `go` until one succeeds; return False if the call must run without."""
