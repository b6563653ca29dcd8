"""Measures one act: time, processor, memory of the whole process tree, and the API's part in it."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

from bench import memory
from bench.api import Api

TAIL_CHARACTERS = 600


class FailedError(Exception):
    """A command of the benchmark failed."""


@dataclass(frozen=True)
class Command:
    """A command to run; both its streams go to `log`. `stdin` is a text. `env` is its whole environment.

    `exit_code` is that of success.
    """

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    log: Path
    stdin: str = ""
    timeout_s: float = 900.0
    exit_code: int = 0


@dataclass(frozen=True)
class Sample:
    """One measurement. `cpu_s` is of processes that have ended; `api_s` is how long a call was in hand.

    `memory_mb` is the peak of all processes, `private_mb` what of it no file stands behind, `looks` how often it was
    looked at.
    """

    wall_s: float
    cpu_s: float = 0.0
    memory_mb: float = 0.0
    api_s: float = 0.0
    api_calls: int = 0
    private_mb: float = 0.0
    looks: int = 0

    @property
    def own_s(self) -> float:
        """The time without a call in progress."""
        return self.wall_s - self.api_s


def measure(
    act: Callable[[], object], api: Api | None = None, *, with_memory: bool = True, without: Collection[int] = ()
) -> Sample:
    """Do `act` and return its cost. Counts everything below this process, except the API's server and `without`."""
    if api is not None:
        api.take()
    others = {*without, *({api.running.pid} if api else ())}
    with memory.Watch(others) if with_memory else nullcontext() as watch:
        cpu_s, began = _cpu_s(), time.perf_counter()
        act()
        wall_s, cpu_s = time.perf_counter() - began, _cpu_s() - cpu_s
    reading = api.take() if api else None
    return Sample(
        wall_s,
        cpu_s,
        watch.peak.all_kb / 1024 if watch else 0.0,
        reading.busy_s if reading else 0.0,
        reading.calls if reading else 0,
        watch.peak.private_kb / 1024 if watch else 0.0,
        watch.looks if watch else 0,
    )


def run(command: Command) -> None:
    """Run a command to its end. Raises FailedError with its last output if it fails or takes too long.

    Nothing polls while it runs, so that a command of a few milliseconds is measured correctly.
    """
    command.log.parent.mkdir(parents=True, exist_ok=True)
    with command.log.open("wb") as log:
        process = subprocess.Popen(
            command.argv,
            cwd=command.cwd,
            env=dict(command.env),
            stdin=subprocess.PIPE if command.stdin else subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        clock = threading.Timer(command.timeout_s, _kill, (process.pid,))
        clock.start()
        try:
            process.communicate(command.stdin.encode() if command.stdin else None)
        except BaseException:
            _kill(process.pid)
            process.wait()
            raise
        finally:
            was_late = not clock.is_alive()
            clock.cancel()
    if process.returncode != command.exit_code:
        end = command.log.read_text(encoding="utf-8", errors="replace").strip()[-TAIL_CHARACTERS:]
        why = f"took more than {command.timeout_s:.0f} s" if was_late else f"ended with {process.returncode}: {end}"
        raise FailedError(f"{' '.join(command.argv[:4])} {why}")


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
