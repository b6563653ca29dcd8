"""A seal binds data to a key and to a name."""

import pytest

from ngp import seals

KEY, OTHER = b"k" * seals.BYTES, b"o" * seals.BYTES


def test_what_was_sealed_is_given_back():
    for data in (b"", b"\n\0", b"x" * 1000):
        sealed = seals.seal(KEY, "name", data)
        assert len(sealed) == seals.BYTES + len(data)
        assert seals.unseal(KEY, "name", sealed) == data


@pytest.mark.parametrize(("key", "name"), [(OTHER, "name"), (KEY, "other"), (KEY, "nam")])
def test_another_key_or_name_gives_nothing(key, name):
    assert seals.unseal(key, name, seals.seal(KEY, "name", b"data")) is None


@pytest.mark.parametrize("sealed", [b"", b"short", b"\0" * seals.BYTES, seals.seal(KEY, "name", b"data")[:-1]])
def test_what_is_torn_or_forged_gives_nothing(sealed):
    assert seals.unseal(KEY, "name", sealed) is None
