"""A public key is whole and of a supported kind, or it is none: approvals count by it."""

import base64

import pytest

from ngp.environments import ssh_keys

POINT = bytes(range(32))


def blob(*fields):
    return b"".join(len(field).to_bytes(4, "big") + field for field in fields)


def test_a_whole_key_is_read():
    whole = blob(b"ssh-ed25519", POINT)
    assert ssh_keys.read(whole) == ssh_keys.PublicKey("ssh-ed25519", whole)
    line = f"ssh-ed25519 {base64.b64encode(whole).decode()}"
    assert str(ssh_keys.parse(f"{line} anna@example")) == line


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        blob(b"ssh-ed25519"),
        blob(b"ssh-ed25519", b""),
        blob(b"ssh-ed25519", POINT, POINT),
        blob(b"ssh-dss", POINT),
        blob(b"ssh-ed25519", POINT)[:-1],
    ],
    ids=["nothing", "no point", "an empty point", "a field too many", "another kind", "cut off"],
)
def test_what_is_not_a_whole_key_is_refused(broken):
    with pytest.raises(ValueError, match=r"supported kind|cut off"):
        ssh_keys.read(broken)


@pytest.mark.parametrize(
    "text", ["ssh-ed25519", "ssh-ed25519 !", "ssh-rsa {}", "x {}", "ssh-ed25519 {}\nssh-ed25519 {}"]
)
def test_a_line_that_is_not_one_key_is_refused(text):
    encoded = base64.b64encode(blob(b"ssh-ed25519", POINT)).decode()
    with pytest.raises(ValueError, match="key"):
        ssh_keys.parse(text.replace("{}", encoded))
