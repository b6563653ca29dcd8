"""Host keys that are trusted: the user's own known_hosts, hosts.yaml, and a known_hosts file per environment.

ngp trusts no key on first use. It adds a key to its own file only if somebody other than the host vouches for it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from ngp import files
from ngp.aws import interruption
from ngp.environments import ssh_keys
from ngp.errors import NgpError, RefusedError, StoppedError
from ngp.hosts.host import SSH_PORT

if TYPE_CHECKING:
    from ngp.hosts.host import Host

FILE = "known_hosts"
_WITNESSES = 8  # asked at once
_GLOBAL = (Path("/etc/ssh/ssh_known_hosts"), Path("/etc/ssh/ssh_known_hosts2"))
_TOKEN = re.compile(r"%(.?)|\$\{")  # of ssh_config
_ALIAS = re.compile(r"[A-Za-z0-9_.:\[\]-]+")  # no pattern, and no list of them
_FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
Keys = Mapping[str, tuple[str, ...]]  # public keys by "pattern id"
Witness = Callable[["Host"], Sequence[str]]  # the keys that somebody else says a host has, none if nobody knows


@dataclass(frozen=True)
class Lookup:
    """Where the user's known_hosts have the keys of a host: under which name, in which files (None: the usual ones).

    As for ssh, `name` is HostKeyAlias of ssh_config, which goes without a port, else HostName; `port` is that of sshd.
    """

    name: str
    port: int | None = None
    files: tuple[Path, ...] | None = None


@dataclass
class Trust:
    """The keys of hosts. `folder` is private and has a folder per environment; `home` is the user's own.

    `witness` returns the keys of a host that neither the user nor ngp knows.
    """

    folder: Path
    home: Path
    witness: Witness = lambda host: host.host_keys
    _own: dict[str, Keys] = field(default_factory=dict, repr=False)
    _unread: dict[str, str] = field(default_factory=dict, repr=False)
    _users: dict[tuple[Path, ...], Any] = field(default_factory=dict, repr=False)

    def file(self, environment: str) -> Path:
        """Return ngp's known_hosts file of an environment, in OpenSSH's format."""
        return self.folder / _folder_name(environment) / FILE

    def learn(self, hosts: Iterable[Host], stop: Event | None = None) -> None:
        """Ask the witness for the keys of hosts that nothing is known of, and keep them.

        An address that belongs to another instance than before loses the keys of that one. A set `stop` ends it.
        A host of which the witness cannot tell stays unknown (`why_unknown`). Raises RefusedError if a guard refuses.
        """
        for environment, members in _by_environment(hosts).items():
            own = self._load(environment)
            found = {_label(host): ssh_keys.whole(host.host_keys) for host in members}
            known = {label for label, keys in {**found, **own}.items() if keys}
            new = [host for host in members if _label(host) not in known and not self._users_know(host)]
            with ThreadPoolExecutor(_WITNESSES) as pool:
                asked = pool.map(lambda host: self._ask(host, stop or Event()), new)
                found |= {_label(host): keys for host, keys in zip(new, asked, strict=True)}
            self._keep(environment, {label: keys for label, keys in found.items() if keys and own.get(label) != keys})

    def _ask(self, host: Host, stop: Event) -> tuple[str, ...]:
        if stop.is_set():
            return ()
        try:
            return ssh_keys.whole(interruption.wait(lambda: self.witness(host), stop))
        except RefusedError:
            raise  # a guard: no host may be reached
        except NgpError as error:
            self._unread[_label(host)] = str(error)
        except StoppedError:
            pass
        return ()

    def why_unknown(self, host: Host) -> str:
        """Return why the witness could not be asked for the keys of a host in `learn`; "" if it could be."""
        return self._unread.get(_label(host), "")

    def renew(self, host: Host) -> tuple[str, ...]:
        """Ask the witness for the keys of a host once more; return them, none if nobody vouches for any."""
        keys = ssh_keys.whole(self.witness(host))
        if keys:
            self._keep(host.environment, {_label(host): keys})
        return keys

    def require_renewed(self, host: Host) -> tuple[str, ...]:
        """Return the keys of a host, asked for once more. Raises NgpError if nobody vouches for any."""
        keys = self.renew(host)
        if not keys:
            raise NgpError(
                f"cannot find trusted host keys of `{host.name}`",
                why="its console shows none",
                todo="copy a key from /etc/ssh/*.pub on the machine to hosts.yaml or to your known_hosts",
            )
        return keys

    def has_own(self, host: Host) -> bool:
        """Return whether ngp's own file has a key of the host."""
        return bool(self._load(host.environment).get(_label(host), ()))

    def write_alias(self, host: Host, alias: str) -> Path | None:
        """Write the keys that ngp knows of a host into a file for that host alone, under its HostKeyAlias.

        Other hosts may have the same alias, but none of them this file. Return None if ngp knows no key.
        """
        keys = self._load(host.environment).get(_label(host), ())
        if not keys or not _ALIAS.fullmatch(alias):
            return None
        folder = files.private_folder(self._aliases(host.environment))
        path = folder / f"{_digest(_label(host))}-{_digest(alias)}"
        _write_alias(path, alias.lower(), keys)
        return path

    def keys(self, host: Host, lookup: Lookup | None = None) -> tuple[list[Any], list[Any], list[Any]]:
        """Return the trusted, the certificate authorities' and the revoked keys of a host, as asyncssh takes them.

        Keys that somebody vouches for are the host's by whatever name. `lookup` finds the user's own; None: by address.
        """
        import asyncssh

        lookup = lookup or Lookup(host.address, host.port)
        own = []
        for text in self._load(host.environment).get(_label(host), ()):
            with suppress(asyncssh.KeyImportError):  # whole, but of a kind or a value that nobody knows
                own.append(asyncssh.import_public_key(text))
        known = self._user_keys(self.usual if lookup.files is None else lookup.files)
        port = None if lookup.port == SSH_PORT else lookup.port
        trusted, authorities, revoked, *_ = known.match(lookup.name.lower(), "", port)  # "": a name has no address here
        return [*own, *trusted], list(authorities), list(revoked)

    def knows(self, host: Host, lookup: Lookup | None = None) -> bool:
        """Return whether any key of the host is trusted; `lookup` as in `keys`."""
        trusted, authorities, _ = self.keys(host, lookup)
        return bool(trusted or authorities)

    def _users_know(self, host: Host) -> bool:
        """Return whether the user's own files have a key of the host; not known without asyncssh."""
        return find_spec("asyncssh") is not None and self.knows(host)

    @property
    def usual(self) -> tuple[Path, ...]:
        """The user's known_hosts where ssh_config names none."""
        return (self.home / ".ssh" / FILE, self.home / ".ssh" / f"{FILE}2")

    def _user_keys(self, paths: tuple[Path, ...]) -> Any:
        import asyncssh

        if paths not in self._users:
            texts = []
            for path in (*paths, *_GLOBAL):
                with suppress(OSError, UnicodeDecodeError):
                    texts.append(path.read_text(encoding="utf-8"))
            try:
                self._users[paths] = asyncssh.import_known_hosts("\n".join(texts))
            except ValueError as error:
                raise NgpError("cannot read your known_hosts file", why=str(error)) from None
        return self._users[paths]

    def _load(self, environment: str) -> Keys:
        if environment not in self._own:
            self._own[environment] = self._read(environment)
        return self._own[environment]

    def _read(self, environment: str) -> Keys:
        with suppress(OSError):
            return _parse(self.file(environment).read_text(encoding="utf-8"))
        return {}

    def _keep(self, environment: str, changed: Keys) -> None:
        """Write keys into the file as it is now: another ngp may have changed it since this one read it."""
        if not changed:
            return
        path = self.file(environment)
        with files.lock_folder(files.private_folder(path.parent)):
            known = {label: keys for label, keys in self._read(environment).items() if label not in changed}
            self._own[environment] = {**known, **changed}
            kept = _latest(self._own[environment])
            files.write(path, "".join(_lines(kept)), mode=0o600)
            for label in {*self._own[environment]} - {*kept} | {*changed}:
                self._renew_aliases(environment, label, kept.get(label, ()))

    def _aliases(self, environment: str) -> Path:
        return self.file(environment).parent / "aliases"

    def _renew_aliases(self, environment: str, label: str, keys: Sequence[str]) -> None:
        """Write other keys of a host into its files of `write_alias`, which an exported ssh_config names."""
        for path in self._aliases(environment).glob(f"{_digest(label)}-*"):
            alias = path.read_text(encoding="utf-8").partition(" ")[0]
            _write_alias(path, alias, keys if alias else ())


def named_files(names: Iterable[str], values: Mapping[str, str], home: Path) -> tuple[Path, ...]:
    """Return the files that UserKnownHostsFile of ssh_config names; `values` are those of its tokens, such as ``h``.

    Raises ValueError for a token of OpenSSH's that ngp does not know, such as ``%C`` or ``${NAME}``.
    """
    known = {"%": "%", "d": str(home), **values}

    def replaced(found: re.Match[str]) -> str:
        if found[1] not in known:
            raise ValueError(f"ngp does not support `{found[0]}` in UserKnownHostsFile")
        return known[found[1]]

    expanded = (_TOKEN.sub(replaced, name) for name in names)
    return tuple(home / name.removeprefix("~/") if name.startswith("~/") else Path(name) for name in expanded)


def _by_environment(hosts: Iterable[Host]) -> dict[str, list[Host]]:
    found: dict[str, list[Host]] = {}
    for host in hosts:
        found.setdefault(host.environment, []).append(host)
    return found


def address_pattern(host: Host) -> str:
    """Return how known_hosts names a host: its address, or ``[address]:port`` if the port is unusual."""
    return host.address if host.port == SSH_PORT else f"[{host.address}]:{host.port}"


def _label(host: Host) -> str:
    return f"{address_pattern(host)} {host.id}"


def _folder_name(environment: str) -> str:
    """Return the name of an environment's folder: a tag may hold a path, a line of ssh_config or a template."""
    if not environment:
        return "_"
    return environment if _FOLDER.fullmatch(environment) else f"+{_digest(environment)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _write_alias(path: Path, alias: str, keys: Sequence[str]) -> None:
    files.write(path, "".join(f"{alias} {key}\n" for key in keys), mode=0o600, durable=False)


def _latest(known: Keys) -> Keys:
    """Return the keys of the last instance at each address: an address that another one gets loses its keys."""
    latest = {label.partition(" ")[0]: label for label in known}
    return {label: known[label] for label in latest.values()}


def _lines(known: Keys) -> list[str]:
    """Return the lines of the file; their comment is the instance's id."""
    return [
        f"{label.partition(' ')[0]} {' '.join(key.split()[:2])} {label.partition(' ')[2]}\n"
        for label, keys in known.items()
        for key in keys
    ]


def _parse(text: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        parts = line.split()
        if len(parts) == 4 and ssh_keys.whole([f"{parts[1]} {parts[2]}"]):
            label = f"{parts[0]} {parts[3]}"
            found[label] = (*found.get(label, ()), f"{parts[1]} {parts[2]}")
    return found
