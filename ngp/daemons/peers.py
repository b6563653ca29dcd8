"""Checks that a file, a folder or the peer of a socket belongs to this user.

It imports little: `client` uses it before anything else of ngp is loaded.
"""

from __future__ import annotations

import os
import socket
import stat
import sys


def is_own_peer(connection: socket.socket) -> bool:
    """Return whether the peer process belongs to this user, if the system reports that (Linux: SO_PEERCRED)."""
    if sys.platform != "linux":
        return True
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)  # ucred: pid, uid, gid
    return int.from_bytes(credentials[4:8], sys.byteorder) == os.getuid()


def is_own_folder(path: str | os.PathLike[str]) -> bool:
    """Return whether `path` is a folder of this user and not a link. Raises OSError if it does not exist."""
    found = os.lstat(path)
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()


def is_private_folder(path: str | os.PathLike[str]) -> bool:
    """Return whether `path` is a folder that only this user can enter. Raises OSError if it does not exist."""
    return is_own_folder(path) and not stat.S_IMODE(os.lstat(path).st_mode) & 0o077


def read_own(path: str | os.PathLike[str]) -> bytes | None:
    """Return the content of a regular file of this user; None if it is missing, a link, a folder or another user's."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)  # reading a pipe would block
    except OSError:
        return None
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.getuid():
        os.close(handle)
        return None
    with os.fdopen(handle, "rb") as file:
        return file.read()
