"""A command's way to the providers of a running pool."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ngp.daemons import record
from ngp.daemons.lines import SocketConnection
from ngp.pool import home
from ngp.proxy import session as proxies
from ngp.proxy.packages import ProviderPackage
from ngp.proxy.session import ProxyError
from ngp.settings import FALSE

CHECKS = ":checks"  # the label of calls without an environment; no environment can have it


class PoolClient:
    """Serves one command in an environment. What the pool cannot do is done without it, and a note says so once."""

    def __init__(self, found: record.DaemonRecord, label: str, note: Callable[[str], None]) -> None:
        self._found, self._label, self._note = found, label, note
        self._has_failed = False

    @contextmanager
    def open_session(
        self, packages: Sequence[ProviderPackage], environ: Mapping[str, str], cache: Path
    ) -> Iterator[proxies.ProxySession]:
        """Like `ngp.proxy.session.open_session`, with the pool's processes if it can provide them.

        Raises ProxyError for what the pool refuses, and if the run's own proxy cannot start either.
        """
        with ExitStack() as stack:
            session = None if self._has_failed else self._served(stack, packages, environ, cache)
            yield session or stack.enter_context(proxies.open_session(packages, environ, cache))

    def _served(
        self, stack: ExitStack, packages: Sequence[ProviderPackage], environ: Mapping[str, str], cache: Path
    ) -> proxies.ProxySession | None:
        try:
            line = stack.enter_context(SocketConnection(self._found))
            session = proxies.ProxySession(line)
            session.order(**proxies.first_order(packages, environ, cache, label=self._label))
        except (OSError, ProxyError) as error:
            if isinstance(error, ProxyError) and line.has_answered:
                raise  # the run's own process would refuse it, too
            self._has_failed = True
            self._note(f"without the pool: {error}")
            return None
        return session


def find(workspace: Path, environ: Mapping[str, str], label: str, note: Callable[[str], None]) -> PoolClient | None:
    """Return the client of a platform's pool for the environment `label`; None if no pool can be used."""
    if environ.get(proxies.SWITCH, "1").lower() in FALSE:
        return None
    found = record.read(home(workspace))
    if found is None or not record.is_alive(found):  # the next start removes what a killed one left
        return None
    if not found.is_ours:
        note("without the pool: it runs another version of ngp; ngp pool stop, then ngp pool start")
        return None
    return PoolClient(found, label, note)
