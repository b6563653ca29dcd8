"""Proxies that outlive a run: one for each set of packages, environment variables and credentials."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ngp import files
from ngp.pool import credentials
from ngp.proxy import eviction, limits, orders, packages, provider
from ngp.proxy.fleet import Fleet
from ngp.proxy.limits import Limits
from ngp.proxy.sealed_store import open_store
from ngp.proxy.server import Proxy

# Variables of a terminal, an editor or a login: they differ between windows, and no provider reads them
_WINDOWS_OWN = (
    *("ALACRITTY_", "COLORTERM", "GHOSTTY_", "GPG_TTY", "INVOCATION_ID", "ITERM_", "JOURNAL_STREAM", "KITTY_"),
    *("KONSOLE_", "LC_TERMINAL", "SHELL_SESSION_", "SSH_CLIENT", "SSH_CONNECTION", "STARSHIP_", "STY"),
    *("SYSTEMD_EXEC_PID", "TERMINAL_EMULATOR", "TERM_PROGRAM", "TERM_SESSION_ID", "TMUX", "VSCODE_", "VTE_VERSION"),
    *("WEZTERM_", "WT_", "XDG_SEAT", "XDG_SESSION_ID", "XDG_VTNR", "ZELLIJ"),
)


@dataclass(frozen=True)
class ProxyKey:
    """The key of a proxy. Proxies with the same `rights` (packages, AWS variables, credentials) may run side by
    side."""

    rights: str
    variables: str


@dataclass
class PooledProxy:
    """A proxy and its users. `labels` are the environments whose last run with these rights it served."""

    proxy: Proxy
    key: ProxyKey
    labels: set[str]
    folder: Path
    sessions: int = 0
    used_at: float = 0.0
    is_retired: bool = False


class Proxies:
    """The proxies of a pool. All of it lives in one event loop."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self._folder, self._limits = folder, limits
        self._numbers = itertools.count(1)
        self._opening = asyncio.Lock()
        self._kept: list[PooledProxy] = []

    @property
    def fleets(self) -> list[Fleet]:
        return [fleet for kept in self._kept for fleet in kept.proxy.fleets]

    @property
    def sessions(self) -> int:
        """The number of runs that are served."""
        return sum(kept.sessions for kept in self._kept)

    @asynccontextmanager
    async def lease(self, order: Mapping[str, Any]) -> AsyncIterator[Proxy]:
        """Yield the proxy for an order during one session. Raises RefusedError for a package that is not locked.

        A proxy that served this label alone with other AWS variables, credentials or packages is retired. One with
        other variables, of another terminal, keeps running.
        """
        async with self._opening:
            kept = await self._find(order)
            kept.sessions += 1
        try:
            yield kept.proxy
        finally:
            kept.sessions -= 1
            kept.used_at = time.monotonic()
            for fleet in kept.proxy.fleets:
                fleet.save()
            self._drop()

    async def tend(self) -> None:
        """Enforce the limits once."""
        await eviction.enforce(self.fleets, self._limits)
        deadline = time.monotonic() - self._limits.idle_s
        for kept in self._kept:
            kept.is_retired |= not kept.sessions and kept.used_at < deadline
        self._drop()

    def end(self) -> None:
        """Stop every process."""
        for kept in self._kept:
            kept.proxy.end()
        self._kept = []

    def describe(self) -> list[Mapping[str, Any]]:
        """Return the running processes and the environments that they serve."""
        pids = [one.pid for fleet in self.fleets for one in fleet.providers]
        sizes = limits.memory(pids)
        return [
            {
                "environments": sorted(kept.labels),
                "sessions": kept.sessions,
                "providers": [
                    {
                        "address": fleet.package.address,
                        "pid": one.pid,
                        "memory": sizes.get(one.pid, 0),
                        "in_use": not fleet.is_idle(one),
                    }
                    for fleet in kept.proxy.fleets
                    for one in fleet.providers
                ],
            }
            for kept in self._kept
        ]

    async def _find(self, order: Mapping[str, Any]) -> PooledProxy:
        cache, asked = Path(order["cache"]), orders.packages(order)
        store = await asyncio.to_thread(open_store, cache)
        # checked against the lock each time, because the mirror may have changed
        hashes = [await asyncio.to_thread(packages.verify, one, store) for one in asked]
        environ = provider.allowed_environ(order["environ"])
        about = [order["packages"], hashes, str(cache), credentials.digest(_rights(environ))]
        variables = sorted((name, environ[name]) for name in environ if not _is_windows(name))
        key = ProxyKey(_digest(about), _digest([order["umask"], variables]))
        found = self._claim(key, order["label"])
        if found is not None:
            return found
        folder = self._folder / f"e{next(self._numbers)}"
        folder.mkdir(mode=0o700)
        proxy = Proxy(asked, environ, folder, store, self._limits, order["umask"])
        made = PooledProxy(proxy, key, {order["label"]}, folder)
        await made.proxy.open()
        self._kept.append(made)
        return made

    def _claim(self, key: ProxyKey, label: str) -> PooledProxy | None:
        """Return the proxy with this key and give it the label; take the label from proxies with other rights."""
        for kept in self._kept:
            if kept.key.rights != key.rights:
                kept.labels.discard(label)
            kept.is_retired |= not kept.labels
        self._drop()
        for kept in self._kept:
            if kept.key == key and not kept.is_retired:
                kept.labels.add(label)
                return kept
        return None

    def _drop(self) -> None:
        """Stop the retired proxies that have no users."""
        for kept in [one for one in self._kept if one.is_retired and not one.sessions]:
            kept.proxy.end()
            files.remove_all([kept.folder])
            self._kept.remove(kept)


def _rights(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name.startswith("AWS_") or name == "HOME"}


def _is_windows(name: str) -> bool:
    return name.startswith(_WINDOWS_OWN)


def _digest(about: Any) -> str:
    return hashlib.sha256(json.dumps(about).encode()).hexdigest()
