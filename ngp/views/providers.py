"""The locked providers, for people and programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ngp.settings import Settings
from ngp.views import documents, findings, terminal

if TYPE_CHECKING:
    from ngp.errors import Finding
    from ngp.terraform.lockfile import Lock


def show_check(lock: Lock, wrong: Sequence[Finding], settings: Settings, *, as_json: bool) -> None:
    """Print the providers and what is wrong with their lock."""
    if as_json:
        documents.write(_document(lock, wrong=wrong))
        return
    _show(lock, settings)
    findings.show_checks(wrong, settings, passed="the lock file covers every module and every platform")


def show(lock: Lock, settings: Settings, *, as_json: bool, changed: bool) -> None:
    """Print the providers of a lock that was renewed."""
    if as_json:
        documents.write(_document(lock, changed=changed))
    else:
        _show(lock, settings)


def print_renewed(origin: str, settings: Settings, *, changed: bool) -> None:
    """Print on stderr where versions were looked up, and the next command."""
    terminal.say(settings, f"looked at {origin}")
    terminal.say(settings, "changed: run `ngp render`" if changed else "nothing has changed")


def _document(lock: Lock, *, wrong: Sequence[Finding] = (), changed: bool = False) -> dict[str, Any]:
    """``ngp.lock/1``."""
    return {"schema": "ngp.lock/1", "changed": changed, "providers": lock, "findings": tuple(wrong)}


def _show(lock: Lock, settings: Settings) -> None:
    console = terminal.out(settings)
    for one in lock:
        allowed = f" ({one.constraints})" if one.constraints else ""
        packages = len(one.package_hashes)
        hashes = f"{terminal.amount(packages, 'package')} and {terminal.amount(len(one.hashes) - packages, 'archive')}"
        console.print(terminal.line(f"{one.source} {one.version}{allowed}: hashes of {hashes}"), soft_wrap=True)
