"""Connects to a host by EC2 Instance Connect: AWS passes a key, made for one command, to the host's sshd."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ngp import files, processes
from ngp.errors import MissingError, NgpError, UsageError

if TYPE_CHECKING:
    from ngp.aws.session import Session
    from ngp.hosts.host import Host
    from ngp.settings import Settings

_INSTANCE = re.compile(r"i-[0-9a-f]+")
_TIMEOUT_S = 30.0
Push = Callable[["Host", str, str], None]  # a host, the user who logs in, the public key; raises NgpError


@dataclass(frozen=True)
class PushedKey:
    """`private` is a file. `push` gives the public key to a host just before a login: there it is valid for 60 s."""

    private: Path
    public: str
    push: Push


@contextmanager
def fresh_key(folder: Path, settings: Settings, push: Push) -> Iterator[PushedKey]:
    """Make an ed25519 key below a private folder, and delete it at the end.

    Raises MissingError (69) without ssh-keygen.
    """
    files.private_folder(folder)
    with tempfile.TemporaryDirectory(prefix="key-", dir=folder) as place:
        path = Path(place) / "id_ed25519"
        argv = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ngp", "-f", str(path))
        try:
            done = processes.run(processes.ProcessRequest(argv, Path(place), settings.environ, timeout_s=_TIMEOUT_S))
        except FileNotFoundError:
            todo = "install OpenSSH's client (openssh-client)"
            raise MissingError("`--via instance-connect` needs ssh-keygen on PATH", todo=todo) from None
        if done.exit_code:
            raise NgpError("ssh-keygen could not create a key", why=done.stderr.strip())
        yield PushedKey(path, path.with_suffix(".pub").read_text(encoding="utf-8").strip(), push)


def require(host: Host, session: Session | None, user: str) -> None:
    """Raise UsageError for a host that EC2 Instance Connect does not support."""
    if not _INSTANCE.fullmatch(host.id):
        raise UsageError(f"`{host.name}` is not an EC2 instance", todo="omit `--via instance-connect`")
    if session is None or session.env.get("AWS_ENDPOINT_URL"):
        raise UsageError("instances of the sandbox have no sshd", todo="omit `--via instance-connect`")
    if not user:
        raise UsageError(f"no user is set for `{host.name}`", todo="pass --user NAME")


def push(host: Host, session: Session, user: str, public: str) -> None:
    """Give a public key to an instance for a user (SendSSHPublicKey). Raises NgpError where AWS refuses."""
    session.call(
        "ec2-instance-connect", "send_ssh_public_key", InstanceId=host.id, InstanceOSUser=user, SSHPublicKey=public
    )
