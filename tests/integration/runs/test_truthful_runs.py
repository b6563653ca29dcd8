"""No invented value, no hidden failure: regions that are half there, and runs that were cut off."""

import json
from dataclasses import replace

import pytest

from ngp.errors import MissingError, UsageError
from ngp.runs import destroying
from ngp.runs.events import Note
from ngp.runs.results import Counts, Outcome, Verb
from ngp.terraform import commands
from ngp.terraform.commands import PlanOptions
from tests.integration.runs.acting import UNASKED, YES, app_more, apply, destroy, forget, plan

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox]


def notes(region):
    return [event.text for event in region.events if isinstance(event, Note)]


def journal(region, verb):
    """The journal of the last run; two that begin in one second differ by chance only in their names."""
    folder = max((region.path / ".ngp/runs").glob(f"*-{verb}-dev-*"), key=lambda path: path.stat().st_mtime_ns)
    return [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]


def test_a_unit_alone_takes_a_null_that_its_upstream_puts_out(region):
    apply(region, "base")
    assert apply(region, "app")["app"].outcome is Outcome.APPLIED
    said = "planning `base` too, without applying it: its state has no value for `nothing`"
    assert notes(region).count(said) == 1
    assert [one["text"] for one in journal(region, "apply") if one["kind"] == "note"].count(said) == 1
    wired = json.loads((region.path / "environments/dev/units/app/wired.auto.tfvars.json").read_text())
    assert wired["nothing"] is None


def test_what_a_half_applied_upstream_has_not_put_out_is_no_null(region):
    apply(region, "base")
    forget(region, "vpc_id")
    seen = plan(region, "app")["app"]
    apart = "ngp plans `app` separately: it uses base.vpc_id, which is not known yet"
    assert apart in notes(region)
    assert apart in [one.get("text") for one in journal(region, "plan")]
    assert [one.leaf for one in seen.unknowns] == ["vpc_id"]
    failed = apply(region, "app", consent=UNASKED)["app"]
    assert failed.outcome is Outcome.FAILED
    (finding,) = failed.findings
    assert finding.what == "it needs base.vpc_id, which does not exist yet"
    assert finding.todo.startswith("apply `base` first, or add it to the command")


def test_what_a_destroyed_upstream_once_put_out_is_no_null(region):
    apply(region, "base")
    destroy(region)
    assert {one.leaf for one in plan(region, "app")["app"].unknowns} == {"vpc_id", "subnet_ids", "name", "nothing"}
    assert apply(region, "app", consent=UNASKED)["app"].outcome is Outcome.FAILED


def test_a_real_fault_is_not_called_deferred(region):
    app_more(
        region,
        'resource "terraform_data" "no" {\n  lifecycle {\n    precondition {\n'
        '      condition     = var.name == ""\n      error_message = "It is wrong."\n    }\n  }\n}\n',
    )
    failed = apply(region, consent=UNASKED)["app"]
    assert (failed.outcome, failed.is_preview) == (Outcome.FAILED, True)
    assert "It is wrong." in failed.diagnostics[0].detail


def test_a_failed_unit_counts_what_was_done(region):
    app_more(
        region,
        'resource "terraform_data" "bad" {\n  depends_on = [terraform_data.node]\n'
        '  provisioner "local-exec" {\n    command = "exit 7"\n  }\n}\n',
    )
    failed = apply(region)["app"]
    assert failed.outcome is Outcome.FAILED
    assert failed.counts.create < 4  # of which one failed
    assert failed.counts.create >= 2


def test_a_refused_unit_counts_nothing(region):
    flag = region.path / "flag"
    app_more(region, f'resource "terraform_data" "more" {{\n  count = fileexists("{flag}") ? 1 : 0\n}}\n')
    sneak = replace(YES, preview=lambda result, bucket: flag.write_text("") == 0)
    refused = apply(region, consent=sneak, is_apart=True)["app"]
    assert (refused.outcome, refused.counts) == (Outcome.REFUSED, Counts())


def test_a_sensitive_value_that_changes_after_the_preview_is_refused(region):
    flag = region.path / "flag"
    app_more(
        region, f'resource "terraform_data" "s" {{\n  input = sensitive(fileexists("{flag}") ? "new" : "old")\n}}\n'
    )
    sneak = replace(YES, preview=lambda result, bucket: flag.write_text("") == 0)
    refused = apply(region, consent=sneak, is_apart=True)["app"]
    assert refused.outcome is Outcome.REFUSED
    assert "`input` to another value than previewed" in refused.findings[0].why
    assert not region.state("app").exists()


def test_a_move_is_a_change_and_is_applied(region):
    apply(region)
    main = region.path / "modules/app/app.tf"
    main.write_text(main.read_text().replace('"home"', '"house"'))
    app_more(region, "moved {\n  from = terraform_data.home\n  to   = terraform_data.house\n}\n")
    assert plan(region)["app"].outcome is Outcome.PLANNED
    assert apply(region)["app"].outcome is Outcome.APPLIED
    assert plan(region)["app"].outcome is Outcome.NO_CHANGES


def test_a_state_that_was_never_written_is_told_before_anything_is_planned(region):
    lost = region.path / "environments/dev/units/base/errored.tfstate"
    lost.write_text("{}")
    for failed in (plan(region)["base"], apply(region, consent=UNASKED)["base"], destroy(region)["base"]):
        assert failed.outcome is Outcome.FAILED
        assert str(lost) in failed.reason


def test_the_next_run_removes_what_a_killed_one_left(region):
    left = region.path / ".ngp/previews/dev/gone/terraform.tfstate"
    left.parent.mkdir(parents=True)
    left.write_text("{}")
    with region.open():
        assert not left.exists()


def test_a_missing_provider_ends_the_run_before_any_unit(region):
    source = '{ source = "registry.invalid/a/other" }'
    app_more(region, f"terraform {{\n  required_providers {{\n    other = {source}\n  }}\n}}\n")
    with pytest.raises(MissingError, match=r"registry\.invalid"):
        plan(region)


def test_a_word_that_turns_an_apply_into_a_destroy_is_refused(region):
    with pytest.raises(UsageError, match="-destroy"), region.open(options=PlanOptions(extra=("-destroy",))):
        pass


def test_the_lock_timeout_holds_for_the_apply_too(region, monkeypatch):
    said, build = [], commands.apply
    monkeypatch.setattr(commands, "apply", lambda *words: said.append(build(*words)) or said[-1])
    apply(region, "base", options=PlanOptions(lock_timeout="7s"), is_apart=True)
    with region.open(Verb.DESTROY, ("base",), options=PlanOptions(lock_timeout="7s"), is_apart=True) as run:
        destroying.destroy(run, destroying.DestroyConsent(lambda result: True, is_typed=True))
    assert ["-lock-timeout=7s" in argv for argv in said] == [True, True]


def test_destroy_takes_the_values_that_stand_and_the_last_ones_where_none_do(region):
    apply(region)
    wired = region.path / "environments/dev/units/app/wired.auto.tfvars.json"
    wired.write_text(wired.read_text().replace("region-", "stale-"))
    with region.open(Verb.DESTROY, ("app",), is_apart=True) as run, pytest.raises(ZeroDivisionError):
        destroying.destroy(run, destroying.DestroyConsent(lambda result: 1 / 0, is_typed=True))
    assert "region-" in wired.read_text()
    region.state("base").unlink()
    assert destroy(region, "app")["app"].outcome is Outcome.DESTROYED


def test_a_unit_that_stays_as_it_is_starts_no_second_terraform(region, monkeypatch):
    apply(region)
    said, build = [], commands.show
    monkeypatch.setattr(commands, "show", lambda *words: said.append(words) or build(*words))
    seen = plan(region)
    assert {unit.outcome for unit in seen.values()} == {Outcome.NO_CHANGES}
    assert not seen["app"].is_preview  # `nothing` is known to be null, though no state names it
    assert said == []
