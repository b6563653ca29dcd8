"""`ngp bundle approve`: what a person is told, what is signed, what is never signed."""

import os
import pty
import select
import sys
import time

import pytest

from ngp.runs.bundle import archive, statement


@pytest.fixture
def clone(two, approved, ngp_in, bundle):
    """The platform whose rules let anna and ben approve, and `ngp` in it."""
    two.merge(approved)
    bundle.rename(two.clone / "prod.bundle")
    return ngp_in(two.clone)


@pytest.fixture
def team(tmp_path, approved, person):
    """anna and ben as the rules name them, and carl, whom they do not name."""
    keys = tmp_path / "keys"
    return {"anna": str(keys / "anna"), "ben": str(keys / "ben"), "carl": str(person("carl").key)}


def approve(ngp, key, *more):
    return ngp.call("bundle", "approve", "prod.bundle", "--auto-approve", "--key", key, *more)


def test_two_people_approve_and_are_told_how_far_it_is(clone, team):
    first = approve(clone, team["anna"], "--json").document
    assert (first["added"], first["environment"], first["verb"]) == (True, "prod", "apply")
    standing = first["standing"]
    assert (standing["approved"], standing["needed"], standing["by"]) == (False, 2, ["anna@example.com"])
    assert standing["missing"] == ["ben@example.com"]
    assert standing["rules"]["source"] == "origin/main"
    done = approve(clone, team["ben"])
    assert done.exit_code == 0
    assert done.stdout == ""
    assert "approved: 2 of 2 approvals (anna@example.com, ben@example.com)" in done.stderr


def test_it_says_what_is_signed(clone, team):
    done = approve(clone, team["anna"])
    for said in (
        "apply prod: target aws, account 123456789012, eu-central-1",
        "made by maker@example.com",
        "expires at",
    ):
        assert said in done.stderr


def test_the_same_key_again_is_told_and_changes_nothing(clone, team):
    approve(clone, team["anna"])
    before = (clone.cwd / "prod.bundle").read_bytes()
    done = approve(clone, team["anna"])
    assert done.exit_code == 0
    assert "has signed prod.bundle before, so nothing was added" in done.stderr
    assert (clone.cwd / "prod.bundle").read_bytes() == before
    assert approve(clone, team["anna"], "--json").document["added"] is False


def test_somebody_whom_the_rules_do_not_name_is_told(clone, team):
    done = approve(clone, team["carl"])
    assert done.exit_code == 0
    assert "not approved yet: 0 of 2 approvals" in done.stderr
    assert "signature of the key SHA256:" in done.stderr
    assert "origin/main:ngp.yaml lists no signer with this key" in done.stderr


def test_outside_of_a_platform_it_is_signed_and_said_that_nobody_knows(clone, team, ngp_in, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (clone.cwd / "prod.bundle").rename(elsewhere / "prod.bundle")
    done = approve(ngp_in(elsewhere), team["anna"], "--json")
    assert done.exit_code == 0
    assert done.document["standing"] is None
    assert "cannot check whether more approvals are needed" in done.stderr


def test_without_a_terminal_only_the_flag_signs(clone, team):
    before = (clone.cwd / "prod.bundle").read_bytes()
    done = clone.run("bundle", "approve", "prod.bundle", "--key", team["anna"], "--json")
    assert done.exit_code == 64
    assert "--auto-approve" in done.document["error"]["findings"][0]["hint"]
    assert (clone.cwd / "prod.bundle").read_bytes() == before


def test_without_a_key_it_is_said_how_to_get_one(clone):
    done = clone.call("bundle", "approve", "prod.bundle", "--auto-approve", "--json")
    assert done.exit_code == 69
    assert "ssh-keygen -t ed25519" in done.document["error"]["findings"][0]["hint"]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda data: data[:-1], "damaged"),
        (lambda data: data[:2000] + bytes([data[2000] ^ 1]) + data[2001:], "damaged"),
        (lambda data: b"hello", "damaged"),
    ],
)
def test_what_is_damaged_is_not_signed(clone, team, spoil, says):
    path = clone.cwd / "prod.bundle"
    path.write_bytes(spoil(path.read_bytes()))
    done = approve(clone, team["anna"], "--json")
    assert done.exit_code == 4
    assert says in done.document["error"]["findings"][0]["what"]


def test_a_bundle_of_another_version_is_not_signed(clone, team, stated, content):
    path = clone.cwd / "prod.bundle"
    archive.write(path, statement.dump(stated).replace(b"urn:ngp:bundle:1", b"urn:ngp:bundle:9"), content)
    done = approve(clone, team["anna"], "--json")
    assert done.exit_code == 4
    assert "another version of ngp" in done.document["error"]["findings"][0]["why"]


@pytest.mark.parametrize(("answer", "code", "signed"), [("yes", 0, 1), ("no", 1, 0)])
def test_a_person_is_asked(clone, team, answer, code, signed):
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(clone.cwd)
        os.execv(
            sys.executable, [sys.executable, "-m", "ngp", "bundle", "approve", "prod.bundle", "--key", team["anna"]]
        )
    shown, is_answered, deadline = b"", False, time.monotonic() + 60
    while time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                shown += os.read(terminal, 4096)
            except OSError:  # its end, on Linux
                break
        if b"or press Enter to stop" in shown and not is_answered:
            os.write(terminal, f"{answer}\n".encode())
            is_answered = True
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == code, shown
    assert b"Sign this with the key" in shown
    assert len(archive.read(clone.cwd / "prod.bundle").approvals) == signed
