"""A joint apply leaves each unit the state that the unit's own apply writes: tried from the same states, both ways."""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace

import pytest

from ngp.runs.results import Action, Counts, Outcome
from ngp.terraform.commands import PlanOptions
from tests.integration.runs.acting import RANGE, YES, app_more, apply, base_more, destroy, edit, outcomes
from tests.integration.runs.equal_states import TWO, VALUES, both, texts

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox]


def plain(region) -> Iterator[tuple[str, int]]:
    """The exit code of plain `terraform plan` in each root."""
    for root in sorted((region.path / "environments/dev/units").iterdir()):
        env = os.environ | {"TF_DATA_DIR": str(region.path / ".plain" / root.name), "TF_IN_AUTOMATION": "1"}
        argv = ["terraform", f"-chdir={root}"]
        subprocess.run([*argv, "init", "-input=false"], env=env, check=True, capture_output=True)
        plan = [*argv, "plan", "-input=false", "-detailed-exitcode", "-lock=false"]
        yield root.name, subprocess.run(plan, env=env, capture_output=True, check=False).returncode


@pytest.mark.slow
def test_states_are_equal_whether_units_are_made_changed_or_destroyed_together_or_apart(rich):
    together, apart = both(rich, lambda **way: apply(rich, **way))
    assert outcomes(together) == outcomes(apart) == {Outcome.APPLIED}
    assert outcomes(apply(rich, is_apart=True)) == outcomes(apply(rich)) == {Outcome.NO_CHANGES}
    assert set(plain(rich)) == {(name, 0) for name in ("app", "base", "base-two", "facts")}
    rich.choose(TWO, VALUES.replace("10.0.", "10.1.").replace("subnets = 1", "subnets = 3"))
    both(rich, lambda **way: apply(rich, **way))
    assert outcomes(apply(rich, is_apart=True)) == {Outcome.NO_CHANGES}
    assert {code for _, code in plain(rich)} == {0}
    both(rich, lambda **way: destroy(rich, "app", **way))
    both(rich, lambda **way: destroy(rich, **way))


def test_what_was_made_apart_is_left_alone_together(rich):
    apply(rich, is_apart=True)
    before = texts(rich)
    assert outcomes(apply(rich)) == {Outcome.NO_CHANGES}
    assert texts(rich) == before
    assert {code for _, code in plain(rich)} == {0}


def test_an_apply_that_fails_before_it_writes_anything_leaves_every_state_as_it_was(rich):
    apply(rich)
    before = texts(rich)
    assert json.loads(before["base"])["check_results"]
    rich.choose(TWO, VALUES.replace("10.0.", "10.1."))

    def damage(result, bucket):
        for plan in rich.path.glob(".ngp/runs/*/tree/environments/dev/units/_all/plan.bin"):
            plan.write_bytes(b"no plan")
        return True

    results = apply(rich, consent=replace(YES, preview=damage))
    assert outcomes(results) == {Outcome.FAILED, Outcome.NO_CHANGES}
    assert texts(rich) == before
    assert outcomes(apply(rich)) == {Outcome.APPLIED, Outcome.NO_CHANGES}


def test_a_tainted_object_stays_tainted(region):
    app_more(
        region,
        'resource "terraform_data" "part" {\n  input = var.name\n  provisioner "local-exec" {\n'
        f'    command = "test -e {region.path}/flag"\n  }}\n}}\n'
        'resource "terraform_data" "after" {\n  input = terraform_data.part.id\n}\n',
    )
    together, apart = both(region, lambda **way: apply(region, **way))
    assert together["app"].outcome is apart["app"].outcome is Outcome.FAILED
    assert b'"status": "tainted"' in texts(region)["app"]
    (region.path / "flag").write_text("")
    both(region, lambda **way: apply(region, **way))
    assert b"tainted" not in texts(region)["app"]
    assert set(plain(region)) == {("app", 0), ("base", 0)}


def test_a_deposed_object_is_kept_until_it_can_be_destroyed(region):
    app_more(
        region,
        'resource "terraform_data" "old" {\n  triggers_replace = [var.pause_s]\n  input = var.name\n'
        "  lifecycle {\n    create_before_destroy = true\n  }\n"
        '  provisioner "local-exec" {\n'
        f'    command = "test ${{var.pause_s}} = 0 || test -e {region.path}/flag"\n  }}\n}}\n',
    )
    apply(region)
    region.choose(values=f"{RANGE}app = {{\n  pause_s = 1\n}}\n")
    together, apart = both(region, lambda **way: apply(region, **way))
    assert together["app"].outcome is apart["app"].outcome is Outcome.FAILED
    assert b'"deposed"' in texts(region)["app"]
    (region.path / "flag").write_text("")
    together, _ = both(region, lambda **way: apply(region, **way))
    assert together["app"].outcome is Outcome.APPLIED, together["app"].reason
    assert b'"deposed"' not in texts(region)["app"]
    assert {code for _, code in plain(region)} == {0}


def test_a_consumer_that_would_close_a_cycle_goes_apart_and_its_upstream_stays_joint(region):
    app_more(
        region,
        'resource "terraform_data" "first" {\n  triggers_replace = [var.name]\n'
        "  lifecycle {\n    create_before_destroy = true\n  }\n}\n",
    )
    apply(region)
    region.choose(values=RANGE.replace("10.0.", "10.1."))
    together, _ = both(region, lambda **way: apply(region, **way))
    assert {name: one.log.rpartition("/")[2] for name, one in together.items()} == {
        "base": "_all.log",
        "app": "app.log",
    }


def test_create_before_destroy_of_a_consumer_is_no_business_of_its_upstream(region):
    app_more(
        region,
        'resource "terraform_data" "first" {\n  triggers_replace = [var.vpc_id]\n'
        "  lifecycle {\n    create_before_destroy = true\n  }\n}\n",
    )
    both(region, lambda **way: apply(region, **way))
    assert b"create_before_destroy" not in texts(region)["base"]
    assert b"create_before_destroy" in texts(region)["app"]
    region.choose(values=RANGE.replace("10.0.", "10.1."))
    together, _ = both(region, lambda **way: apply(region, **way))
    assert together["app"].log.endswith("/app.log")
    assert together["base"].log.endswith("/_all.log")
    assert set(plain(region)) == {("app", 0), ("base", 0)}


def test_moves_removals_and_imports_are_planned_counted_and_written(region):
    apply(region)
    edit(region, "modules/app/app.tf", '"node"', '"peer"')
    edit(region, "modules/app/app-output.tf", "terraform_data.node", "terraform_data.peer")
    app_more(region, "moved {\n  from = terraform_data.node\n  to   = terraform_data.peer\n}\n")
    base_more(region, 'resource "terraform_data" "gone" {}\n')
    region.render()
    together, _ = both(region, lambda **way: apply(region, **way))
    assert [one.previous_address for one in together["app"].changes] == [
        "module.app.terraform_data.node[0]",
        "module.app.terraform_data.node[1]",
    ]
    text = "removed {\n  from = terraform_data.gone\n  lifecycle {\n    destroy = false\n  }\n}\n"
    edit(region, "modules/base/base.tf", 'resource "terraform_data" "gone" {}\n', text)
    together, _ = both(region, lambda **way: apply(region, **way))
    assert together["base"].counts == Counts(forget=1)
    assert b"gone" not in texts(region)["base"]
    assert set(plain(region)) == {("app", 0), ("base", 0)}


def test_targets_and_replacements_of_several_units_go_jointly(region):
    apply(region)
    replaced = PlanOptions(
        targets=("module.base.terraform_data.subnet", "module.app.terraform_data.node"),
        replace=("module.base.terraform_data.subnet[0]", "module.app.terraform_data.node[1]"),
    )
    together, _ = both(region, lambda **way: apply(region, options=replaced, **way))
    assert {one.address for each in together.values() for one in each.changes if one.action is Action.REPLACE} == {
        "module.base.terraform_data.subnet[0]",
        "module.app.terraform_data.node[1]",
    }


def test_the_consumer_is_destroyed_before_its_upstream_without_a_refresh_too(region):
    """No state knows the dependency: it is added again where the states are joined."""
    note = '  provisioner "local-exec" {{\n    when    = destroy\n    command = "{} >> {}/order"\n  }}\n'
    edit(region, "modules/base/base.tf", '"vpc" {\n', '"vpc" {\n' + note.format("echo base", region.path))
    app_more(region, 'resource "terraform_data" "last" {\n' + note.format("sleep 1; echo app", region.path) + "}\n")
    apply(region)
    assert b"module.base" not in texts(region)["app"]
    assert outcomes(destroy(region, options=PlanOptions(refresh=False))) == {Outcome.DESTROYED}
    assert (region.path / "order").read_text().split() == ["app", "base"]
    assert [json.loads(data)["resources"] for data in texts(region).values()] == [[], []]


def test_what_two_units_have_no_more_is_destroyed_in_the_order_of_the_units(region):
    extra = 'resource "terraform_data" "extra" {\n  count = 6\n}\n'
    base_more(region, extra)
    app_more(region, extra)
    apply(region)
    edit(region, "modules/base/base.tf", extra, "")
    edit(region, "modules/app/app.tf", extra, "")
    together, _ = both(region, lambda **way: apply(region, **way))
    assert [one.counts for one in together.values()] == [Counts(delete=6), Counts(delete=6)]
    lines = (region.path / together["app"].log).read_text().splitlines()
    events = [json.loads(line) for line in lines if '"apply_complete"' in line]
    gone = [one["hook"]["resource"]["module"] for one in events]
    assert gone == ["module.app"] * 6 + ["module.base"] * 6


def test_an_import_is_counted_and_written(region):
    """A unit's own import block stands in its root, and such a root goes apart: its module has none to say."""
    apply(region)
    region.write(
        "environments/dev/units/base/imports.tf",
        'import {\n  to = module.base.terraform_data.found\n  id = "known"\n}\n',
    )
    base_more(region, 'resource "terraform_data" "found" {}\n')
    results = apply(region)
    assert results["base"].log.endswith("/base.log")
    assert [one.import_id for one in results["base"].changes] == ["known"]
    assert b'"id": "known"' in texts(region)["base"]
    assert outcomes(apply(region)) == {Outcome.NO_CHANGES}


@pytest.mark.tofu
def test_opentofu_leaves_equal_states_and_an_encrypted_one_is_refused(region, tofu):
    region.write("ngp.yaml", f'name: little\nstate: local\nterraform: "{tofu}"\n')
    region.choose()
    both(region, lambda **way: apply(region, **way))
    assert outcomes(apply(region, is_apart=True)) == {Outcome.NO_CHANGES}
    encrypted = '{"serial": 1, "lineage": "x", "meta": {}, "encrypted_data": "eA==", "encryption_version": "v0"}'
    region.state("base").write_text(encrypted)
    results = apply(region)
    assert results["base"].outcome is Outcome.FAILED
    assert "encrypted" in results["base"].reason
    assert region.state("base").read_text() == encrypted
