"""Stub until the real one lands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

CALLS = "calls"


@dataclass(frozen=True)
class Call:
    exit_code: int | None
    tied: bool

    def output(self) -> str:
        return ""


@dataclass(frozen=True)
class KilledRun:
    folder: Path
    calls: tuple[Call, ...]


def find(workspace: Path, environment: str) -> list[KilledRun]:
    return []


def settle(killed: list[KilledRun], environment: str) -> list[str]:
    return []
