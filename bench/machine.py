"""Describes the machine of the benchmark."""

from __future__ import annotations

import datetime
import os
import platform
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import ngp
from bench.lab import TERRAFORM, TERRAGRUNT, TERRAMATE, TOFU, Lab
from ngp import processes, shipped
from ngp.terraform import lockfile

_ASK = {TERRAFORM: "version", TOFU: "version", TERRAGRUNT: "--version", TERRAMATE: "version"}


def describe(lab: Lab) -> dict[str, str]:
    """Describe machine and programs; `load` is the average of the last minute before the measurements."""
    model = _find("/proc/cpuinfo", r"model name\s*:\s*(.*)") or platform.machine()
    memory_kb = int(_find("/proc/meminfo", r"MemTotal:\s*(\d+)") or 0)
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "processor": f"{os.cpu_count()} × {model}",
        "memory": f"{memory_kb / 2**20:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "load": f"{os.getloadavg()[0]:.1f}",
        "python": platform.python_version(),
        "ngp": " ".join(filter(None, (ngp.__version__, _commit(lab)))),
        **{name: _version(lab, name) for name in lab.programs},
        **{f"provider {one.source}": one.version for one in lockfile.load(shipped.lock_file())},
    }


def _version(lab: Lab, name: str) -> str:
    said = processes.run(processes.ProcessRequest((name, _ASK[name]), lab.folder, lab.plain)).stdout
    found = re.search(r"\d+\.\d+\.\d+\S*", said)
    return found[0] if found else "of its main branch"


def _commit(lab: Lab) -> str:
    """The commit of the checkout that is measured, "" where it is none."""
    here = Path(__file__).resolve().parents[1]
    done = processes.run(processes.ProcessRequest(("git", "rev-parse", "--short", "HEAD"), here, lab.plain))
    return f"({done.stdout.strip()})" if done.exit_code == 0 else ""


def _find(path: str, pattern: str) -> str:
    with suppress(OSError):
        found = re.search(pattern, Path(path).read_text(encoding="utf-8"))
        return found[1].strip() if found else ""
    return ""


def load(facts: Mapping[str, str]) -> float:
    """Return the load of the machine before the measurements."""
    return float(facts.get("load", 0))


def warning(facts: Mapping[str, str]) -> str:
    """Return a warning if the machine was busy with other work, else ""."""
    is_busy = load(facts) > int(facts.get("processor", "1").split()[0])
    return f"**The machine was busy (load {facts['load']}): these figures are a hint, no more.**" if is_busy else ""
