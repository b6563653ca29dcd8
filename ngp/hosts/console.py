"""Host keys from EC2's console output (GetConsoleOutput), to which cloud-init writes them at a boot."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from ngp.errors import NgpError

if TYPE_CHECKING:
    from ngp.aws.session import Session

# cloud-init, cc_keys_to_console
_KEYS = re.compile(r"-+BEGIN SSH HOST KEY KEYS-+\r?\n(.*?)-+END SSH HOST KEY KEYS-+", re.DOTALL)
_KEY = re.compile(r"^[^\n]*?((?:ssh-(?:ed25519|rsa)|ecdsa-sha2-nistp\d+) [A-Za-z0-9+/]+=*)", re.MULTILINE)
_ABSENT = ("InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed")
_NO_LATEST = ("UnsupportedOperation", "InvalidParameterCombination")  # an instance type before Nitro


def keys(session: Session, instance: str, note: Callable[[str], None] = lambda _: None) -> tuple[str, ...]:
    """Return the public host keys that an instance wrote to its console; none if it wrote none.

    EC2 keeps what came shortly after the boot, but promises it for an hour only. Without it, the latest output counts,
    which Nitro instances have at any time; `note` then says so. Whoever can write to the console later can add keys
    there, so all of its blocks must have the same keys. Raises NgpError if they differ, and what `Session.call` raises,
    such as DeniedError.
    """
    found = session.call("ec2", "get_console_output", absent=_ABSENT, InstanceId=instance)
    shown = parse((found or {}).get("Output", ""))
    if shown or found is None:
        return shown
    found = session.call("ec2", "get_console_output", absent=(*_ABSENT, *_NO_LATEST), InstanceId=instance, Latest=True)
    blocks = _blocks((found or {}).get("Output", ""))
    if not blocks:
        return ()
    if any({*block} != {*blocks[0]} for block in blocks):
        raise NgpError(
            f"the latest console output of {instance} has different host keys",
            why="a key may be forged: EC2 has no output of the boot alone any more",
            todo="copy a key from /etc/ssh/*.pub on the machine to your known_hosts",
        )
    note(f"took the host keys of {instance} from its latest console output: EC2 has none of its boot any more")
    return blocks[0]


def parse(text: str) -> tuple[str, ...]:
    """Return the host keys of the last complete block in a console's text."""
    return (_blocks(text) or [()])[-1]


def _blocks(text: str) -> list[tuple[str, ...]]:
    return [tuple(dict.fromkeys(_KEY.findall(block))) for block in _KEYS.findall(text)]
