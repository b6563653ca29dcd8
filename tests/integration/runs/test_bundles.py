"""Bundles, from a plan to an apply in another checkout, with real Terraform; and every way in which one goes stale."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyrage
import pytest

from ngp.runs.bundle import archive, statement
from tests.git import git
from tests.harness import Ngp, lay_platform, lend_sandbox, stop_sandbox

pytestmark = pytest.mark.terraform


@pytest.fixture(scope="module")
def origin(tmp_path_factory, sandbox):
    """The small platform, rendered and committed, without anything applied."""
    folder = lay_platform(tmp_path_factory.mktemp("origin") / "platform")
    assert Ngp(folder).run("render").exit_code == 0
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Render")
    return lend_sandbox(sandbox, folder)


@pytest.fixture
def here(origin, tmp_path, sandbox):
    """A checkout in which a bundle is made."""
    folder = tmp_path / "here"
    git(tmp_path, "clone", "--quiet", str(origin), str(folder))
    yield Ngp(lend_sandbox(sandbox, folder))
    stop_sandbox(folder)


@pytest.fixture(scope="module")
def planned(origin):
    """A bundle of everything, over nothing."""
    path = origin.parent / "change.bundle"
    done = Ngp(origin).call("plan", "dev", "--out", str(path))
    assert done.exit_code == 0, done.stderr
    yield path
    stop_sandbox(origin)


@pytest.fixture
def made(planned, tmp_path):
    """A copy of that bundle, for one test."""
    return Path(shutil.copy(planned, tmp_path / "change.bundle"))


def edit(ngp, name, old, new):
    path = ngp.cwd / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def refused(ngp, path, *says, code=4, more=()):
    """Apply a bundle that is refused: with the right reason, before anything is touched."""
    before = state(ngp)
    done = ngp.call("apply", str(path), *more, "--json", env={"HOME": str(path.parent)})
    assert done.exit_code == code, done.stdout + done.stderr
    whole = [
        f"{one['file']}: {one['what']} | {one['why']} | {one['hint']}" for one in done.document["error"]["findings"]
    ]
    for text in says:
        assert any(text in finding for finding in whole), whole
    assert state(ngp) == before
    return whole


def state(ngp):
    folder = ngp.cwd / ".ngp" / "state" / "dev"
    return {path.name: path.read_bytes() for path in folder.glob("*.tfstate") if path.read_bytes()}


def contents(path):
    """The content of a bundle, to be written again."""
    old, content = archive.read(path), {}
    folder = Path(tempfile.mkdtemp(dir=path.parent))
    for name, member in old.members.items():
        file = folder / f"member-{len(content)}"
        file.write_bytes(old.read(name))
        file.chmod(member.mode)
        content[name] = archive.Content(path=file)
    return content


def restate(path, **changes):
    """Write a bundle again with another statement: what somebody does who wants to get around a check."""
    document = json.loads(archive.read(path).statement)
    document["predicate"] |= changes
    archive.write(path, json.dumps(document, indent=1, sort_keys=True).encode(), contents(path))


def test_what_was_planned_is_applied_once(here, made, tmp_path):
    listed = subprocess.run(["tar", "tf", made], capture_output=True, text=True, check=True).stdout.split()
    assert listed[0] == "statement.json"
    assert {"plan.bin", "state.json", "review.json", "tree/modules/base/base.tf"} <= set(listed)
    assert made.stat().st_mode & 0o777 == 0o600

    done = here.call("apply", str(made))
    assert done.exit_code == 0, done.stderr
    assert set(state(here)) == {"app.tfstate", "base.tfstate"}
    assert here.call("plan", "dev", "--detailed-exitcode").exit_code == 0
    assert not list((here.cwd / ".ngp" / "runs").glob("*/tree"))
    refused(here, made, "applied already")
    verified = here.call("bundle", "verify", str(made))
    assert verified.exit_code == 4
    assert "applied already" in verified.stderr


def test_another_checkout_applies_it_after_a_squash_merge(here, made, tmp_path, origin):
    """Content counts, not commits: the same files at another commit, on what could be another machine."""
    other = tmp_path / "there" / "checkout"
    shutil.copytree(origin, other)
    git(other, "commit", "--quiet", "--amend", "--allow-empty", "--message", "Squashed")
    assert git(other, "rev-parse", "HEAD") != git(here.cwd, "rev-parse", "HEAD")
    shutil.move(made, tmp_path / "there" / "fetched.bundle")
    there = Ngp(other)
    try:
        done = there.call("apply", "../fetched.bundle")
        assert done.exit_code == 0, done.stderr
        assert there.call("plan", "dev", "--detailed-exitcode").exit_code == 0
    finally:
        stop_sandbox(other)


def test_a_bundle_that_destroys(here, made, tmp_path):
    assert here.call("apply", str(made)).exit_code == 0
    end = tmp_path / "end.bundle"
    done = here.call("destroy", "dev", "--out", str(end))
    assert done.exit_code == 0, done.stderr
    assert set(state(here)) == {"app.tfstate", "base.tfstate"}
    assert all(json.loads(text)["resources"] for text in state(here).values())
    done = here.call("apply", str(end))
    assert done.exit_code == 0, done.stderr
    assert [json.loads(text)["resources"] for text in state(here).values()] == [[], []]


def test_units_that_go_apart_are_compared_with_their_preview(here, tmp_path):
    path = tmp_path / "apart.bundle"
    assert here.call("plan", "dev", "--apart", "--out", str(path)).exit_code == 0
    shown = here.call("bundle", "show", str(path), "--json").document
    assert set(shown["apart"]) == {"app", "base"}
    done = here.call("apply", str(path))
    assert done.exit_code == 0, done.stderr
    assert here.call("plan", "dev", "--detailed-exitcode").exit_code == 0


def test_a_bundle_of_some_units(here, tmp_path):
    path = tmp_path / "base.bundle"
    assert here.call("plan", "dev", "base", "--out", str(path)).exit_code == 0
    assert here.call("apply", str(path)).exit_code == 0
    assert set(state(here)) == {"base.tfstate"}
    again = tmp_path / "app.bundle"
    assert here.call("plan", "dev", "app", "--out", str(again)).exit_code == 0
    stated = statement.load(archive.read(again).statement, "")
    assert set(stated.outside) == {"base"}
    assert here.call("apply", "dev", "base", "--auto-approve", "-replace=module.base.terraform_data.vpc").exit_code == 0
    refused(here, again, "the state of `base` (whose outputs this plan uses) changed from serial")


MOVED = {
    "a module file": (
        lambda ngp: edit(ngp, "modules/base/base.tf", "resource", "# more\nresource"),
        "base.tf: this file changed",
    ),
    "a new module file": (
        lambda ngp: (ngp.cwd / "modules/base/more.tf").write_text("\n"),
        "more.tf: this file was added",
    ),
    "a module file less": (
        lambda ngp: (ngp.cwd / "modules/app/app.dummy").unlink(),
        "app.dummy: this file was removed",
    ),
    "another account": (
        lambda ngp: [edit(ngp, "environments/dev/environment.yaml", "123456789012", "210987654321"), render(ngp)],
        "the account 123456789012, but this is 210987654321",
    ),
    "another region": (
        lambda ngp: [edit(ngp, "environments/dev/environment.yaml", "eu-central-1", "eu-west-1"), render(ngp)],
        "the region eu-central-1, but this is eu-west-1",
    ),
    "another platform": (
        lambda ngp: [edit(ngp, "ngp.yaml", "name: small", "name: other"), render(ngp)],
        "the platform",
    ),
    "no environment": (
        lambda ngp: shutil.move(ngp.cwd / "environments/dev", ngp.cwd / "environments/renamed"),
        "the environment `dev`, which does not exist here",
    ),
    "the lock file": (
        lambda ngp: [
            (ngp.cwd / ".terraform.lock.hcl").write_text((ngp.cwd / ".terraform.lock.hcl").read_text() + "\n# more\n"),
            render(ngp),
        ],
        ".terraform.lock.hcl: this file changed",
    ),
}


def render(ngp):
    done = ngp.call("render", "dev")
    assert done.exit_code == 0, done.stderr


@pytest.mark.parametrize("name", MOVED)
def test_what_moved_is_named(here, made, name):
    change, says = MOVED[name]
    change(here)
    refused(here, made, says)


def test_a_value_that_moved_is_named(here, made):
    values = (here.cwd / "environments/dev/terraform.tfvars").read_text()
    edit(here, "environments/dev/terraform.tfvars", re.search(r"10\.\d+", values)[0], "10.99")
    render(here)
    refused(here, made, "environments/dev/units/base/values.auto.tfvars.json: this file changed")
    verified = here.call("bundle", "verify", str(made))
    assert verified.exit_code == 4
    assert "where: environments/dev/units/base/values.auto.tfvars.json" in verified.stderr


@pytest.mark.parametrize(
    ("units", "says"),
    [
        ("  base: {}\n", ("the unit `app` was removed or renamed",)),
        ("  base: {}\n  app: {}\n  more: {module: base}\n", ("the unit `more` was added",)),
        ("  base: {}\n  web: {module: app}\n", ("the unit `app` was removed or renamed", "the unit `web` was added")),
    ],
    ids=["removed", "added", "renamed"],
)
def test_units_that_changed_are_named(here, made, units, says):
    path = here.cwd / "environments/dev/environment.yaml"
    text = path.read_text()
    kept = text[: text.index("units:")]
    wiring = "" if "web" not in units and "app" not in units else "wiring:\n  {}: {{vpc_id: base.vpc_id}}\n"
    path.write_text(f"{kept}units:\n{units}{wiring.format('web' if 'web' in units else 'app')}")
    values = here.cwd / "environments/dev/terraform.tfvars"
    values.write_text(values.read_text() + ('\nmore = { cidr = "10.9.0.0/16" }\n' if "more" in units else ""))
    shutil.rmtree(here.cwd / "environments/dev/units")
    render(here)
    refused(here, made, *says)


def test_a_state_that_appeared_moved_or_vanished_is_named(here, made, tmp_path):
    assert here.call("apply", "dev", "base", "--auto-approve").exit_code == 0
    refused(here, made, "the state of `base` exists now, with serial 1")
    second = tmp_path / "second.bundle"
    assert here.call("plan", "dev", "--out", str(second)).exit_code == 0
    place = here.cwd / ".ngp/state/dev/base.tfstate"
    text = place.read_text()
    place.write_text(text.replace('"serial": 1', '"serial": 5'))
    refused(here, second, "the state of `base` changed from serial 1 to 5")
    document = json.loads(text)
    place.write_text(json.dumps({**document, "lineage": "00000000-0000-0000-0000-000000000000"}))
    refused(here, second, "the state of `base` was replaced by another one")
    place.unlink()
    refused(here, second, "the state of `base` is gone")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"expires": "2026-01-02T00:00:00Z"}, "the bundle expired at 2026-01-02 00:00 UTC"),
        ({"created": "2199-01-01T00:00:00Z", "expires": "2199-01-02T00:00:00Z"}, "but it is"),
        ({"ngp": "99.0.0"}, "ngp 99.0.0 made the bundle"),
        ({"ngp": "0.0.1"}, "ngp 0.0.1 made the bundle"),
        ({"terraform": {"flavour": "terraform", "version": "1.9.9", "digest": ""}}, "terraform 1.9.9 made the plan"),
        ({"environment": "prod"}, "nobody may approve"),
        ({"verb": "plan"}, "the verb plan is not one of"),
        ({"expires": "9999-12-31T00:00:00Z"}, "valid for 30 days at most"),
        ({"options": [1]}, "cannot read"),
        ({"units": {}}, "the statement of the bundle differs from its plans: app, base"),
    ],
    ids=["expired", "clock", "newer", "older", "terraform", "environment", "verb", "forever", "type", "units"],
)
def test_a_statement_of_another_time_or_tool_is_refused(here, made, changes, says):
    created = datetime.fromisoformat(changes.get("expires", "2026-01-02T00:00:00Z")) - timedelta(days=1)
    early = {"created": f"{created:%Y-%m-%dT%H:%M:%SZ}"} if changes.get("expires", "").startswith("2026") else {}
    restate(made, **early, **changes)
    refused(here, made, says)


def test_another_binary_of_the_same_version_is_refused(here, made):
    terraform = json.loads(archive.read(made).statement)["predicate"]["terraform"]
    restate(made, terraform={**terraform, "digest": "0" * 64})
    refused(here, made, "is not the program that made the plan")


def test_a_bundle_of_a_newer_form_is_refused(here, made):
    old = archive.read(made)
    text = old.statement.replace(b"urn:ngp:bundle:1", b"urn:ngp:bundle:2")
    archive.write(made, text, {name: archive.Content(old.read(name)) for name in old.members})
    refused(here, made, "another version of ngp made the bundle")


def test_a_flipped_byte_in_each_member_is_refused(here, made):
    whole = made.read_bytes()
    listed = subprocess.run(["tar", "tRf", made], capture_output=True, text=True, check=True).stdout.splitlines()
    places = [int(re.search(r"block (\d+)", line)[1]) * 512 + 512 for line in listed if "End" not in line]
    assert len(places) > 10
    for place in places:
        broken = bytearray(whole)
        broken[place] ^= 1
        made.write_bytes(bytes(broken))
        refused(here, made, "the bundle is damaged")


def test_a_plan_that_is_not_the_one_that_is_shown_is_refused(here, made, tmp_path):
    """Somebody swaps the plan file and states its digest: the people who reviewed saw something else."""
    edit(here, "environments/dev/terraform.tfvars", "10.", "11.")
    render(here)
    other = tmp_path / "other.bundle"
    assert here.call("plan", "dev", "--out", str(other)).exit_code == 0
    git(here.cwd, "checkout", "--quiet", ".")
    good, evil = archive.read(made), archive.read(other)
    document = json.loads(good.statement)
    members = json.loads(evil.statement)["subject"]
    swapped = {one["name"]: one for one in members if one["name"] == "plan.bin"}
    document["subject"] = [swapped.get(one["name"], one) for one in document["subject"]]
    content = {**contents(made), "plan.bin": contents(other)["plan.bin"]}
    archive.write(made, json.dumps(document).encode(), content)
    refused(here, made, "the plan file makes other changes to `base` than the bundle shows")


def test_a_plan_that_names_a_folder_of_this_machine_makes_no_bundle(here, tmp_path):
    edit(here, "modules/base/base.tf", "input = ", 'input = abspath(path.module) == "" ? "" : ')
    edit(here, "modules/base/base.tf", "resource", 'output "where" {\n  value = abspath(path.module)\n}\nresource')
    render(here)
    done = here.call("plan", "dev", "--out", str(tmp_path / "x.bundle"))
    assert done.exit_code == 3, done.stderr
    assert "contains a path of this machine: the output base.where" in done.stderr
    assert not (tmp_path / "x.bundle").exists()


def test_a_plan_that_fails_makes_no_bundle(here, tmp_path):
    edit(here, "modules/base/base.tf", "input = ", "input = nothing_there + ")
    done = here.call("plan", "dev", "--out", str(tmp_path / "x.bundle"))
    assert done.exit_code == 1
    assert "ngp wrote no bundle" in done.stderr
    assert not (tmp_path / "x.bundle").exists()


def test_a_file_that_is_no_bundle_is_not_overwritten(here, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    done = here.call("plan", "dev", "--out", str(tmp_path / "notes.txt"))
    assert done.exit_code == 64
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("more", [["-target=base:terraform_data.vpc"], ["-refresh=false"], ["--apart"], ["base"]])
def test_what_shapes_a_plan_is_refused_with_a_bundle(here, made, more):
    refused(here, made, "bundle", code=64, more=more)


def test_a_new_plan_that_does_the_same_needs_no_question(here, made):
    """An edit that changes nothing of the plan: the bundle is stale, a new plan says the same."""
    edit(here, "modules/base/base.tf", "resource", "# a comment\nresource")
    refused(here, made, "base.tf: this file changed")
    done = here.call("apply", str(made), "--replan")
    assert done.exit_code == 0, done.stderr
    assert "the new plan does the same as the bundle" in done.stderr
    assert set(state(here)) == {"app.tfstate", "base.tfstate"}
    refused(here, made, "applied already", more=["--replan"])


def test_a_new_plan_that_differs_is_shown_and_refused_where_nobody_is_asked(here, made):
    edit(here, "environments/dev/terraform.tfvars", "10.", "11.")
    render(here)
    refused(here, made, "module.base.terraform_data.vpc: create sets input to another value", more=["--replan"])


def test_two_bundles_are_compared(here, made, tmp_path):
    other = tmp_path / "other.bundle"
    edit(here, "environments/dev/terraform.tfvars", "10.", "11.")
    render(here)
    assert here.call("plan", "dev", "--out", str(other)).exit_code == 0
    same = here.call("bundle", "diff", str(made), str(made))
    assert (same.exit_code, same.stdout) == (0, "both bundles make the same changes\n")
    differs = here.call("bundle", "diff", str(made), str(other), "--json")
    assert differs.exit_code == 2
    assert [(one["unit"], one["address"], one["attributes"]) for one in differs.document["differences"]] == [
        ("base", "module.base.terraform_data.vpc", ["input"])
    ]


def test_show_needs_neither_terraform_nor_states(here, made):
    shown = here.call("bundle", "show", str(made), "--json", env={"PATH": "/nowhere"})
    assert shown.exit_code == 0, shown.stderr
    document = shown.document
    assert document["counts"]["create"] == 2
    assert document["verb"] == "apply"
    text = here.call("bundle", "show", str(made)).stdout
    assert "+ module.base.terraform_data.vpc" in text
    assert "valid until" in text


def test_verify_says_that_nothing_moved(here, made):
    done = here.call("bundle", "verify", str(made))
    assert done.exit_code == 0, done.stderr
    assert "nothing that it was made from has changed" in done.stderr


@pytest.mark.parametrize(("word", "hours"), [("90m", 1.5), ("3d", 72)])
def test_how_long_it_is_valid_is_chosen(here, tmp_path, word, hours):
    path = tmp_path / "x.bundle"
    assert here.call("plan", "dev", "base", "--out", str(path), "--expires", word).exit_code == 0
    stated = statement.load(archive.read(path).statement, "")
    assert stated.expires - stated.created == timedelta(hours=hours)
    assert abs(stated.created - datetime.now(UTC)) < timedelta(minutes=5)


def test_two_machines_apply_one_bundle_at_once(here, made):
    """Both share the states; one of them applies it."""
    runs = [here.start("apply", str(made)) for _ in range(2)]
    outcomes = [run.communicate(timeout=120)[1] for run in runs]
    assert sorted(run.returncode for run in runs) in ([0, 4], [0, 5]), outcomes


def test_no_sensitive_value_is_in_the_parts_that_people_read(here, made):
    """The sensitive output of `base`: in the plan file, which Terraform needs; masked in what is shown."""
    found = archive.read(made)
    assert "hunter2" in (here.cwd / "modules/base/base-output.tf").read_text()
    assert b"vpc_password" in found.read("review.json")
    assert b"hunter2" not in found.statement + found.read("review.json")


def test_the_folder_of_the_shell_counts_for_a_file(here, made, monkeypatch):
    monkeypatch.chdir(made.parent)
    done = Ngp(made.parent).call("--chdir", str(here.cwd), "bundle", "show", str(Path(os.path.relpath(made, here.cwd))))
    assert done.exit_code == 0, done.stderr


def test_one_state_for_all_units_is_bundled_and_applied_as_one(here, tmp_path):
    path = tmp_path / "one.bundle"
    document = here.cwd / "environments/dev/environment.yaml"
    document.write_text(f"{document.read_text()}state: single\n")
    assert here.call("render").exit_code == 0
    git(here.cwd, "add", "--all")
    git(here.cwd, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message", "One state")
    made = here.call("plan", "dev", "--out", str(path))
    assert made.exit_code == 0, made.stderr
    done = here.call("apply", str(path), "--auto-approve")
    assert done.exit_code == 0, done.stderr
    assert "separately" not in done.stderr
    assert {one["module"] for one in json.loads((here.cwd / ".ngp/state/dev/root.tfstate").read_text())["resources"]}
    assert here.call("plan", "dev", "-detailed-exitcode").exit_code == 0


def test_a_sealed_bundle_shows_addresses_to_all_and_values_to_those_with_a_key(here, tmp_path):
    identity = pyrage.x25519.Identity.generate()
    key = tmp_path / "key.txt"
    key.write_text(f"{identity}\n")
    path = tmp_path / "sealed.bundle"
    done = here.call("plan", "dev", "--out", str(path), "--encrypt-to", str(identity.to_public()))
    assert done.exit_code == 0, done.stderr
    names = subprocess.run(["tar", "tf", path], capture_output=True, text=True, check=True).stdout.split()
    assert names == ["statement.json", "sealed.age", "checksum"]
    whole = path.read_bytes()
    assert b"hunter2" not in whole
    assert b"10.0.0.0/16" not in whole

    nobody = here.call("bundle", "show", str(path), env={"HOME": str(tmp_path)})
    assert nobody.exit_code == 0, nobody.stderr
    assert "ngp shows no values" in nobody.stderr
    assert "+ module.base.terraform_data.vpc" in nobody.stdout
    assert "10.0.0.0/16" not in nobody.stdout
    assert "10.0.0.0/16" in here.call("bundle", "show", str(path), "--identity", str(key)).stdout
    assert here.call("bundle", "verify", str(path), env={"HOME": str(tmp_path)}).exit_code == 0

    refused(here, path, "the bundle is encrypted", code=69)
    done = here.call("apply", str(path), "--identity", str(key))
    assert done.exit_code == 0, done.stderr
    assert here.call("plan", "dev", "--detailed-exitcode").exit_code == 0


def test_what_people_sign_is_what_is_planned(here, made):
    """The approval screen and the readers of a sealed bundle see the statement's addresses."""
    predicate = json.loads(archive.read(made).statement)["predicate"]
    predicate["units"]["base"]["changes"] = {"update": ["module.base.harmless.one"]}
    restate(made, units=predicate["units"])
    refused(here, made, "the statement of the bundle differs from its plans: base")


def test_a_file_that_is_swapped_after_it_was_checked_is_not_read_again(here, made, tmp_path):
    opened = archive.read(made)
    before = {name: opened.read(name) for name in opened.members}
    archive.write(made, b"{}", {name: archive.Content(b"swapped") for name in before})
    assert {name: opened.read(name) for name in opened.members} == before


def test_what_changes_while_it_is_planned_makes_no_bundle(here, tmp_path, mocker):
    """An edit in the middle: the plan has the old text, and a digest taken afterwards would be of the new one."""
    from ngp.terraform.driver import Terraform

    plan = Terraform.plan

    def edit_then_plan(self, *args, **more):
        result = plan(self, *args, **more)
        edit(here, "modules/base/base.tf", "resource", "# edited meanwhile\nresource")
        return result

    mocker.patch.object(Terraform, "plan", edit_then_plan)
    done = here.call("plan", "dev", "--out", str(tmp_path / "x.bundle"))
    assert done.exit_code == 4, done.stderr
    assert "this changed during the plan: base" in done.stderr
    assert not (tmp_path / "x.bundle").exists()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"created": "2026-01-01T00:00:00Z", "expires": "2026-01-02T00:00:00Z"}, "the bundle expired"),
        ({"account": "210987654321"}, "for the account 210987654321"),
        ({"terraform": {"flavour": "terraform", "version": "1.9.9", "digest": ""}}, "terraform 1.9.9 made the plan"),
    ],
    ids=["expired", "account", "terraform"],
)
def test_no_new_plan_makes_good_what_is_expired_or_of_another_place(here, made, changes, says):
    restate(made, **changes)
    refused(here, made, says, more=["--replan"])


def test_values_that_were_not_rendered_are_named_by_verify(here, made):
    edit(here, "environments/dev/terraform.tfvars", "10.", "11.")
    verified = here.call("bundle", "verify", str(made))
    assert verified.exit_code == 4
    assert "stale" in verified.stderr


def test_a_destruction_is_applied_once(here, made, tmp_path):
    assert here.call("apply", str(made)).exit_code == 0
    end = tmp_path / "end.bundle"
    assert here.call("destroy", "dev", "--out", str(end)).exit_code == 0
    assert here.call("apply", str(end)).exit_code == 0
    again = here.call("apply", str(end))
    assert again.exit_code == 4
    assert "applied already" in again.stderr


def test_a_plan_file_that_is_none_is_refused(here, made):
    document = json.loads(archive.read(made).statement)
    content = contents(made)
    content["plan.bin"] = archive.Content(b"junk")
    member = content["plan.bin"].member("plan.bin")
    for one in document["subject"]:
        if one["name"] == "plan.bin":
            one |= {"digest": {"sha256": member.digest}, "annotations": {"mode": "600", "link": False}}
    archive.write(made, json.dumps(document).encode(), content)
    refused(here, made, "cannot read the plan file in the bundle")


def test_a_module_in_the_bundle_that_is_not_the_stated_one_is_refused(here, made):
    """What a provider reads at apply, such as a file to upload, is not in the plan file."""
    document = json.loads(archive.read(made).statement)
    content = contents(made)
    name = "tree/modules/base/base.dummy"
    content[name] = archive.Content(b"swapped\n")
    member = content[name].member(name)
    for one in document["subject"]:
        if one["name"] == name:
            one |= {"digest": {"sha256": member.digest}, "annotations": {"mode": "600", "link": False}}
    archive.write(made, json.dumps(document).encode(), content)
    refused(here, made, "files in the bundle differ from its statement: modules/base/base.dummy")


def test_nothing_to_plan_makes_no_bundle_and_an_earlier_file_is_named(here, made):
    done = here.call("plan", "dev", "--affected", "--since", "HEAD", "--out", str(made))
    assert done.exit_code == 0, done.stderr
    assert f"ngp wrote no bundle, because there is nothing to plan; {made} was made earlier" in done.stderr


@pytest.mark.parametrize("words", [(), ("app",)])
def test_a_bundle_without_changes_is_applied(here, tmp_path, words):
    """A comment in a module plans nothing; who merges it still applies what was reviewed."""
    assert here.call("apply", "dev", "--auto-approve").exit_code == 0
    edit(here, "modules/app/app.tf", "\n", "\n# a comment\n")
    path = tmp_path / "nothing.bundle"
    assert here.call("plan", "dev", *words, "--out", str(path)).exit_code == 0
    before = state(here)
    done = here.call("apply", str(path))
    assert done.exit_code == 0, done.stderr
    assert state(here) == before
