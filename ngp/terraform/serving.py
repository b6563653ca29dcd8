"""Runs Terraform processes with providers behind the proxy, and without the proxy if it cannot serve."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ngp.proxy import session
from ngp.proxy.packages import ProviderPackage
from ngp.proxy.session import Attached, ProxyError, ProxySession
from ngp.terraform import fingerprints, mirror
from ngp.terraform.attempts import Attempt, Go
from ngp.terraform.lockfile import Lock

# With a few types instead of a whole schema, Terraform needs little memory: rarer garbage collection costs megabytes
# and saves a seventh of its processor time (Go's `GOGC`). Processes that an apply starts would inherit it.
_LIGHT = {"GOGC": "400"}
_OWN = frozenset({"apply", "test"})  # they create objects, so their providers are not shared
_TEST_TEXTS = (*fingerprints.ENDINGS, ".tftest.hcl", ".tftest.json", ".tfmock.hcl", ".tfmock.json")
_TEXTS = (*fingerprints.ENDINGS, ".tfvars", ".tfvars.json", ".tfstate")

Opener = Callable[[Sequence[ProviderPackage], Mapping[str, str], Path], AbstractContextManager[ProxySession]]


@dataclass(frozen=True)
class ServablePackages:
    """The packages that the proxy may start; `reason` says why there are none."""

    packages: tuple[ProviderPackage, ...] = ()
    reason: str = ""


class Serving:
    """A run's access to the proxy. Thread-safe."""

    def __init__(
        self, opened: ProxySession, found: ServablePackages, environ: Mapping[str, str], note: Callable[[str], None]
    ) -> None:
        self._session, self._note = opened, note
        self._light = {name: value for name, value in _LIGHT.items() if name not in environ}
        self._for_init = session.reattach_for_init(one.address for one in found.packages)
        self._guard = threading.Lock()
        self._whole: set[Path] = set()  # roots that used a type that none of their texts names
        self._noted: set[str] = set()

    @property
    def is_open(self) -> bool:
        return not self._session.broken

    def run(self, root: Path, data: Path, verb: str, go: Go, *, calls: Path | None = None) -> bool:
        """Let `go` run Terraform with what it needs in its environment; return False where it must run plainly.

        It is called again, with the whole schema, if the errors may come from a schema that was left out. An apply is
        called once: what it has begun is not begun again. A test destroys what it has made, so it may be called again
        for a schema. `calls` is where it can be seen at work.
        """
        if verb == "init":
            go(Attempt(self._for_init))
            return True
        texts = [*collect_texts(root, data), *(collect_test_texts(root) if verb == "test" else ())]
        is_own, once = verb in _OWN, verb == "apply"
        while True:
            whole = root in self._whole
            attached = self._attach(root, texts, calls, is_apply=is_own, whole=whole)
            if attached is None:
                return False
            errors = ""
            try:
                light = {} if whole or once else self._light
                errors = go(Attempt({**light, **attached.environ}, is_last=once))
            finally:
                detached = self._session.detach(attached, errors)
            if not errors:
                return True
            for crash in detached.crashes[:1]:
                self._emit(crash, crash)
            if detached.failures and is_own:
                self._emit(detached.failures[0], f"the provider proxy: {detached.failures[0]}")
            elif detached.failures:
                self._leave(detached.failures[0])
                return False
            if once or whole or not detached.lacks:
                return True
            with self._guard:
                self._whole.add(root)

    def _attach(
        self, root: Path, texts: Sequence[Path], calls: Path | None, *, is_apply: bool, whole: bool
    ) -> Attached | None:
        try:
            return self._session.attach(root, texts, is_apply=is_apply, whole_schema=whole, calls=calls)
        except ProxyError as error:
            self._leave(str(error))
            return None

    def _leave(self, reason: str) -> None:
        """Note once why Terraform runs without the proxy, for all roots."""
        self._emit("plainly", f"without the provider proxy: {reason}")

    def _emit(self, topic: str, text: str) -> None:
        """Emit a note once per topic."""
        with self._guard:
            is_new = topic not in self._noted
            self._noted.add(topic)
        if is_new:
            self._note(text)


def collect_texts(root: Path, data: Path) -> Iterator[Path]:
    """Return the files that name the types of a root: its own, its local state, and all modules that it calls."""
    fetched = (path for path in (data / "modules").rglob("*") if path.is_dir())
    for folder in (root, *sorted(fingerprints.modules(root)), data / "modules", *sorted(fetched)):
        with suppress(OSError):  # Terraform will say so
            yield from sorted(path for path in folder.iterdir() if path.name.endswith(_TEXTS))


def collect_test_texts(root: Path) -> Iterator[Path]:
    """Return the files that name the types of a root's tests: tests, mocks and the modules inside the root."""
    for path in sorted(root.rglob("*")):
        if path.name.endswith(_TEST_TEXTS) and path.is_file() and ".terraform" not in path.parts:
            yield path


def find_packages(lock: Lock, platform: str, folder: Path | None) -> ServablePackages:
    """Return the packages of `lock` in a mirror (from `mirror.provide`), as its binary reads it.

    Each must be unpacked and have its hash in the lock file.
    """
    if folder is None:
        return ServablePackages(reason="Terraform's own configuration says where providers come from" if lock else "")
    found = []
    for locked in lock:
        package = mirror.package(folder, locked, platform)
        if package is None or not package.is_dir():
            return ServablePackages(reason=f"the mirror holds no unpacked package of {locked.source}")
        if not locked.package_hashes:
            return ServablePackages(reason=f"the lock file has no hash of the unpacked package of {locked.source}")
        found.append(ProviderPackage(locked.address, package.resolve(), locked.package_hashes))
    return ServablePackages(tuple(found))


@contextmanager
def open_serving(  # noqa: PLR0913  what a run knows, once
    found: ServablePackages,
    environ: Mapping[str, str],
    shell: Mapping[str, str],
    cache: Path,
    note: Callable[[str], None],
    opener: Opener = session.open_session,
) -> Iterator[Serving | None]:
    """Open the proxy for a run; None, with a note, if the run must do without.

    `environ` is the environment of the providers; `shell` may disable the proxy. `opener` opens it: as the run's own
    process, or in a pool.
    """
    with ExitStack() as stack:
        reason = session.why_disabled(shell) or found.reason
        opened = None
        if found.packages and not reason:
            try:
                opened = stack.enter_context(opener(found.packages, environ, cache / "proxy"))
            except ProxyError as error:
                reason = str(error)
        if reason:
            note(f"without the provider proxy: {reason}")
        yield Serving(opened, found, environ, note) if opened else None
