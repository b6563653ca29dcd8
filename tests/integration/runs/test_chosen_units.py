"""A run of some units: how they are selected, and that the next command is about the same ones."""

import pytest

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox]


def _next(outcome):
    return next(line for line in outcome.stdout.splitlines() if line.startswith("next:"))


def test_the_next_command_keeps_units_and_options(region, ngp_in):
    region.choose(region.WITH_LATE)
    ngp = ngp_in(region.path)
    assert _next(ngp.call("plan", "dev", "base")) == "next: ngp apply dev base"
    assert _next(ngp.call("plan", "app...")) == "next: ngp apply dev base app"
    target = "-target=module.base.terraform_data.vpc"
    assert _next(ngp.call("plan", "dev", "base", target, "--refresh=false")) == (
        f"next: ngp apply dev base {target} -refresh=false"
    )
    assert _next(ngp.call("plan", "dev")) == "next: ngp apply dev"
    assert _next(ngp.call("apply", "dev", "base", "--auto-approve", target)) == "next: ngp output dev base"
    assert _next(ngp.call("destroy", "dev", "base", "--auto-approve")) == "next: ngp status dev base"


def test_one_state_for_all_units_keeps_them_too(region, ngp_in):
    region.choose(region.ENVIRONMENT + "state: single\n")
    assert _next(ngp_in(region.path).run("plan", "dev", "base")) == "next: ngp apply dev base"


def test_run_commands_take_selections(region, ngp_in):
    region.choose(region.WITH_LATE)
    ngp = ngp_in(region.path / "environments" / "dev")
    planned = ngp.call("plan", "!late", "--json").document
    assert [unit["unit"] for unit in planned["units"]] == ["base", "app"]
    applied = ngp.call("apply", "base...", "--auto-approve", "--json").document
    assert [unit["unit"] for unit in applied["units"]] == ["base"]
    refused = ngp.call("destroy", "dev", "x*", "--auto-approve", "--json")
    assert refused.exit_code == 64
    assert region.state("base").is_file()
