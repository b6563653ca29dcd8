"""Runs units in dependency order, several at once."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from graphlib import TopologicalSorter

from ngp.runs.graph import Needs
from ngp.runs.results import UnitResult


@dataclass(frozen=True)
class Schedule:
    """How to run a graph. With `fail_fast` no unit starts after the first failure."""

    needs: Needs
    parallelism: int = 2
    fail_fast: bool = False


def run(
    plan: Schedule,
    work: Callable[[str], UnitResult],
    skip: Callable[[str, str], UnitResult],
    *,
    stop: threading.Event | None = None,
) -> dict[str, UnitResult]:
    """Call `work` for every unit; `skip(unit, reason)` makes the result of one that is not started.

    A unit's own failure is a value that `work` returns. An exception from `work` is a bug: it is raised here once the
    running units have ended.
    """
    sorter = TopologicalSorter(plan.needs)
    sorter.prepare()
    results: dict[str, UnitResult] = {}
    ended = ""
    at_once = max(1, plan.parallelism)
    with ThreadPoolExecutor(max_workers=at_once, thread_name_prefix="unit") as pool:
        running: dict[Future[UnitResult], str] = {}
        waiting: deque[str] = deque()
        while sorter.is_active():
            waiting.extend(sorted(sorter.get_ready()))
            while waiting and len(running) < at_once:
                unit = waiting.popleft()
                reason = _stopped(stop) or _obstacle(unit, plan.needs, results) or ended
                if reason:
                    results[unit] = skip(unit, reason)
                    sorter.done(unit)
                    waiting.extend(sorted(sorter.get_ready()))
                else:
                    running[pool.submit(work, unit)] = unit
            if not running:
                continue
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                unit = running.pop(future)
                results[unit] = future.result()
                if plan.fail_fast and not results[unit].outcome.is_good:
                    ended = ended or f"the run ended at `{unit}`"
                sorter.done(unit)
    return results


def _obstacle(unit: str, needs: Needs, results: dict[str, UnitResult]) -> str:
    bad = sorted(needed for needed in needs.get(unit, ()) if not results[needed].outcome.is_good)
    return f"needs {', '.join(f'`{name}`' for name in bad)}" if bad else ""


def _stopped(stop: threading.Event | None) -> str:
    return "the run was interrupted" if stop is not None and stop.is_set() else ""
