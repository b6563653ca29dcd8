"""Approvals: who counts, who does not, and what each reason is called."""

import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ngp.environments import ssh_keys
from ngp.environments.environment import Approval, Platform
from ngp.errors import MissingError, StaleError, UsageError
from ngp.runs.authority import Authority, AuthorityKind
from ngp.runs.bundle import approvals, archive, statement
from ngp.runs.bundle.archive import Content
from ngp.runs.bundle.rules import Rules
from ngp.runs.bundle.signatures import SigningKey

COMMIT = "1234567890" * 4
NOW = datetime(2026, 11, 30, 2, 0, tzinfo=UTC)


@pytest.fixture
def team(person):
    return {name: person(name) for name in ("anna", "ben", "carl", "maker", "author")}


@pytest.fixture
def rules(team, tmp_path):
    rule = Approval(tuple(f"{name}@example.com" for name in ("anna", "ben", "maker", "author")), 2)
    signers = {one.email: (one.public,) for one in team.values()}
    return Rules(
        Platform(tmp_path, "demo", protected=("prod",), signers=signers, approvals={"prod": rule}),
        COMMIT,
        "origin/main",
    )


def changed(rules, **rule):
    """The same rules with another one for prod."""
    platform = rules.platform
    return replace(rules, platform=replace(platform, approvals={"prod": replace(platform.approvals["prod"], **rule)}))


def sign(path, person, surroundings):
    return approvals.approve(archive.read(path), SigningKey("test", person.key), surroundings)


def refused(path, stated, rules, surroundings):
    """Every finding about a bundle that is not approved."""
    with pytest.raises(StaleError) as caught:
        approvals.require(archive.read(path), stated, rules, surroundings)
    assert caught.value.exit_code == 4
    return caught.value.findings


def test_enough_approvals_give_the_authority(bundle, stated, team, rules, surroundings):
    for name in ("anna", "ben"):
        assert sign(bundle, team[name], surroundings)
    found = approvals.require(archive.read(bundle), stated, rules, surroundings)
    people, digest = ("anna@example.com", "ben@example.com"), archive.read(bundle).digest
    assert found == Authority(AuthorityKind.APPROVED, people, COMMIT, bundle=digest, maker="maker@example.com")


def test_a_bundle_that_nobody_signed_is_not_approved(bundle, stated, rules, surroundings):
    (only,) = refused(bundle, stated, rules, surroundings)
    assert only.what == "the bundle for `prod` is not approved: it needs 2 approvals, but it has none"
    assert only.todo == "ask anna@example.com or ben@example.com to run: ngp bundle approve prod.bundle"
    assert "origin/main:ngp.yaml at commit 1234567890" in only.why


def test_too_few_approvals_name_who_is_missing(bundle, stated, team, rules, surroundings):
    sign(bundle, team["anna"], surroundings)
    (only,) = refused(bundle, stated, rules, surroundings)
    assert "it needs 2 approvals, but it has 1 (anna@example.com)" in only.what
    assert only.todo == "ask ben@example.com to run: ngp bundle approve prod.bundle"


def test_one_person_counts_once_whatever_keys_they_have(bundle, stated, team, rules, surroundings, person):
    second = person("second")
    anna = team["anna"]
    signers = {**rules.platform.signers, anna.email: (anna.public, second.public)}
    rules = replace(rules, platform=replace(rules.platform, signers=signers))
    for one in (anna, second):
        assert sign(bundle, one, surroundings)
    (only,) = refused(bundle, stated, rules, surroundings)
    assert "it has 1 (anna@example.com)" in only.what


def test_the_same_key_twice_adds_nothing(bundle, team, surroundings):
    assert sign(bundle, team["anna"], surroundings)
    before = bundle.read_bytes()
    assert not sign(bundle, team["anna"], surroundings)
    assert bundle.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("maker", "this person made the bundle"),
        ("author", "this person wrote commits of the change"),
        ("carl", "origin/main:ngp.yaml does not allow this person to approve `prod`"),
    ],
)
def test_who_does_not_count_is_told_why(bundle, stated, team, rules, surroundings, name, why):
    for one in ("anna", name):
        sign(bundle, team[one], surroundings)
    summary, second = refused(bundle, stated, rules, surroundings)
    assert "it has 1 (anna@example.com)" in summary.what
    assert (second.what, second.why) == (f"the signature of {name}@example.com does not count", why)


@pytest.mark.parametrize("name", ["maker", "author"])
def test_a_rule_lets_makers_and_authors_count(bundle, stated, team, rules, surroundings, name):
    for one in ("anna", name):
        sign(bundle, team[one], surroundings)
    found = approvals.require(
        archive.read(bundle), stated, changed(rules, **{f"{name}s" if name == "author" else name: True}), surroundings
    )
    assert found.by == ("anna@example.com", f"{name}@example.com")


def test_a_maker_under_another_address_is_known_by_the_key(
    bundle, stated, team, rules, surroundings, tmp_path, content
):
    """Git's user.email may be another one than that of the rules."""
    stated = replace(stated, maker="home@example.org", maker_key=ssh_keys.parse(team["anna"].public).fingerprint)
    path = tmp_path / "other.bundle"
    archive.write(path, statement.dump(stated), content)
    for one in ("anna", "ben"):
        sign(path, team[one], surroundings)
    summary, second = refused(path, stated, rules, surroundings)
    assert "it has 1 (ben@example.com)" in summary.what
    assert "anna@example.com" not in summary.todo
    assert second.what == "the signature of anna@example.com does not count"


def test_a_maker_counts_by_none_of_their_keys(bundle, stated, team, rules, surroundings, tmp_path, content, person):
    """The key says whose bundle it is, whatever Git's user.email and the key of the approval are."""
    second = person("second")
    anna = team["anna"]
    signers = {**rules.platform.signers, anna.email: (anna.public, second.public)}
    rules = replace(rules, platform=replace(rules.platform, signers=signers))
    stated = replace(stated, maker="home@example.org", maker_key=ssh_keys.parse(anna.public).fingerprint)
    path = tmp_path / "other.bundle"
    archive.write(path, statement.dump(stated), content)
    sign(path, second, surroundings)
    found = approvals.collect(archive.read(path), stated, rules, surroundings)
    assert [vote.why for vote in found.votes] == ["this person made the bundle"]
    assert anna.email not in found.missing
    assert approvals.collect(archive.read(path), stated, changed(rules, maker=True), surroundings).by == (anna.email,)


def test_a_bundle_whose_authors_are_not_all_known_is_not_approved(bundle, stated, team, rules, surroundings, tmp_path):
    stated = replace(stated, commit=replace(stated.commit, unknown="the clone is shallow"))
    path = tmp_path / "other.bundle"
    archive.write(path, statement.dump(stated), {})
    assert statement.load(statement.dump(stated), "").commit == stated.commit
    for name in ("anna", "ben"):
        sign(path, team[name], surroundings)
    assert not approvals.collect(archive.read(path), stated, rules, surroundings).is_approved
    (only,) = refused(path, stated, rules, surroundings)
    assert only.what == "nobody can approve the bundle for `prod`, because ngp does not know the authors of the change"
    assert only.why == "the clone is shallow; origin/main:ngp.yaml does not allow authors to approve"
    assert approvals.require(archive.read(path), stated, changed(rules, authors=True), surroundings).by


def test_addresses_in_another_case_are_the_same_person(bundle, stated, team, rules, surroundings):
    sign(bundle, team["anna"], surroundings)
    sign(bundle, team["ben"], surroundings)
    stated = replace(stated, maker="Anna@Example.com", commit=replace(stated.commit, authors=("BEN@example.com",)))
    whys = [one.why for one in refused(bundle, stated, rules, surroundings)[1:]]
    assert whys == ["this person made the bundle", "this person wrote commits of the change"]


def test_a_key_that_was_removed_from_the_rules_does_not_count(bundle, stated, team, rules, surroundings, person):
    for name in ("anna", "ben"):
        sign(bundle, team[name], surroundings)
    signers = {**rules.platform.signers, "ben@example.com": (person("new").public,)}
    rules = replace(rules, platform=replace(rules.platform, signers=signers))
    summary, second = refused(bundle, stated, rules, surroundings)
    assert "it has 1 (anna@example.com)" in summary.what
    assert ssh_keys.parse(team["ben"].public).fingerprint in second.what
    assert second.why == "origin/main:ngp.yaml lists no signer with this key"


def test_a_signature_over_another_statement_does_not_count(
    bundle, stated, team, rules, surroundings, tmp_path, content
):
    sign(bundle, team["anna"], surroundings)
    sign(bundle, team["ben"], surroundings)
    signed = archive.read(bundle).approvals
    other, path = replace(stated, account="999999999999"), tmp_path / "swapped.bundle"
    archive.write(path, statement.dump(other), content, signed)
    found = refused(path, other, rules, surroundings)
    assert "it has none" in found[0].what
    assert [one.why for one in found[1:]] == ["the signature is not valid for this bundle"] * 2


def test_each_flipped_byte_of_the_statement_voids_every_approval(
    bundle, stated, team, rules, surroundings, tmp_path, content
):
    for name in ("anna", "ben"):
        sign(bundle, team[name], surroundings)
    whole = archive.read(bundle)
    for place in (0, len(whole.statement) // 3, len(whole.statement) - 2):
        text = bytearray(whole.statement)
        text[place] ^= 1
        path = tmp_path / f"flipped-{place}.bundle"
        archive.write(path, bytes(text), content, whole.approvals)
        assert "it has none" in refused(path, stated, rules, surroundings)[0].what


def test_what_is_no_signature_does_not_count(bundle, stated, team, rules, surroundings):
    sign(bundle, team["anna"], surroundings)
    archive.add_approval(archive.read(bundle), b"hello")
    found = refused(bundle, stated, rules, surroundings)
    assert (found[1].what, found[1].why) == (
        "the signature of an unknown key does not count",
        "the signature is not valid for this bundle",
    )


def test_a_signature_for_git_is_no_approval(bundle, stated, team, rules, surroundings, tmp_path):
    """Somebody's signature of a commit or tag must not pass for one of a bundle."""
    text = tmp_path / "text"
    text.write_bytes(archive.read(bundle).statement)
    argv = ["ssh-keygen", "-Y", "sign", "-q", "-n", "git", "-f", team["anna"].key, text]
    subprocess.run(argv, check=True, capture_output=True)
    archive.add_approval(archive.read(bundle), text.with_suffix(".sig").read_bytes())
    assert refused(bundle, stated, rules, surroundings)[1].why == "the signature is not valid for this bundle"


def test_where_nobody_may_approve_it_says_what_to_do(bundle, stated, team, rules, surroundings):
    sign(bundle, team["anna"], surroundings)
    rules = replace(rules, platform=replace(rules.platform, approvals={}))
    first = refused(bundle, stated, rules, surroundings)[0]
    assert first.what == "nobody may approve bundles for `prod`"
    assert first.todo == "add people there, and merge the change into origin/main"


def test_where_nobody_else_may_approve_it_says_so(bundle, stated, rules, surroundings):
    rules = changed(rules, by=("anna@example.com", "maker@example.com"))
    assert refused(bundle, stated, rules, surroundings)[0].todo.startswith("nobody else may approve it")


def test_a_bundle_of_another_platform_is_refused(bundle, stated, rules, surroundings):
    rules = replace(rules, platform=replace(rules.platform, name="other"))
    assert "is for the platform `demo`" in refused(bundle, stated, rules, surroundings)[0].what


def test_what_expired_or_is_not_as_stated_is_not_signed(bundle, stated, tmp_path, content):
    assert statement.dump(approvals.examine(archive.read(bundle))) == statement.dump(stated)
    old, path = replace(stated, created=NOW - timedelta(hours=1), expires=NOW), tmp_path / "old.bundle"
    archive.write(path, statement.dump(old), content)
    with pytest.raises(StaleError, match="expired at 2026-11-30 02:00 UTC"):
        approvals.examine(archive.read(path))
    archive.write(path, statement.dump(stated), {**content, "plan.bin": Content(b"another plan")})
    with pytest.raises(StaleError, match=r"plan\.bin"):
        approvals.examine(archive.read(path))


def test_a_bundle_that_was_replaced_while_somebody_read_is_not_signed(bundle, stated, team, surroundings, content):
    opened = archive.read(bundle)
    archive.write(bundle, statement.dump(replace(stated, verb="destroy")), content)
    with pytest.raises(StaleError, match="replaced"):
        approvals.approve(opened, SigningKey("test", team["anna"].key), surroundings)
    assert archive.read(bundle).approvals == []


def test_an_approval_of_meanwhile_is_kept(bundle, team, surroundings):
    opened = archive.read(bundle)
    sign(bundle, team["anna"], surroundings)
    assert approvals.approve(opened, SigningKey("test", team["ben"].key), surroundings)
    assert len(archive.read(bundle).approvals) == 2


def test_approvals_at_the_same_moment_are_all_kept(bundle, person, surroundings):
    people = [person(f"number-{number}") for number in range(6)]
    opened, gate = archive.read(bundle), threading.Barrier(6)

    def approve(one):
        gate.wait()
        return approvals.approve(opened, SigningKey("test", one.key), surroundings)

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(approve, people)) == [True] * 6
    assert len(archive.read(bundle).approvals) == 6
    assert [one.name for one in bundle.parent.iterdir() if "prod.bundle" in one.name] == ["prod.bundle"]


def test_the_maker_signs_or_a_note_says_why_not(bundle, stated, team, rules, surroundings, tmp_path):
    note = approvals.sign_as_maker(archive.read(bundle), surroundings, tmp_path)
    assert note.startswith("ngp could not sign the bundle as its maker: cannot find an SSH key to sign with")
    assert approvals.maker_key(surroundings, tmp_path) == ""
    with pytest.raises(UsageError):
        approvals.sign_as_maker(archive.read(bundle), surroundings, tmp_path, "none")
    maker = team["maker"]
    assert approvals.sign_as_maker(archive.read(bundle), surroundings, tmp_path, str(maker.key)) == ""
    assert approvals.maker_key(surroundings, tmp_path, str(maker.key)) == ssh_keys.parse(maker.public).fingerprint
    (vote,) = approvals.collect(archive.read(bundle), stated, rules, surroundings).votes
    assert (vote.identity, vote.why) == ("maker@example.com", "this person made the bundle")


def test_a_maker_whose_named_key_cannot_sign_is_told(bundle, surroundings, person, tmp_path):
    locked = person("locked", passphrase="secret")
    with pytest.raises(MissingError, match="cannot sign"):
        approvals.sign_as_maker(archive.read(bundle), surroundings, tmp_path, str(locked.key))
