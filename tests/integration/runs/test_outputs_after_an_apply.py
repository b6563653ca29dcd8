"""What an apply ends with: the few outputs that the manifests name."""

import pytest

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox]

HEAD = ["unit", "output", "value"]


@pytest.fixture
def shown(region):
    """The region, whose manifests name outputs: known, null, a list, a sensitive one and a secret."""
    for name, lines in {
        "base": "show: [name, nothing, subnet_ids]\n",
        "app": "show: [app_password]\nreveal: {app_secret: app_password, other_secret: app_ids}\n",
    }.items():
        with (region.path / f"modules/{name}/module.yaml").open("a") as manifest:
            manifest.write(lines)
    return region


def _after_the_table(outcome):
    assert outcome.exit_code == 0, outcome.stderr
    lines = outcome.stdout.splitlines()
    heads = [at for at, line in enumerate(lines) if line.split() == HEAD]
    return [line.split(maxsplit=2) for line in lines[heads[0] + 1 : -1]] if heads else []


@pytest.mark.parametrize("more", ["", "state: single\n"])
def test_an_apply_ends_with_the_outputs_that_manifests_name(shown, ngp_in, more):
    shown.choose(shown.ENVIRONMENT + more)
    ngp = ngp_in(shown.path)
    first = ngp.call("apply", "dev", "--auto-approve")
    name, subnets, secret = _after_the_table(first)
    assert name == ["base", "name", "region-10.0.0.0/16"]
    assert subnets[0] == "subnet_ids"
    assert secret == ["app", "other_secret", "(sensitive, --reveal shows it)"]
    assert "hunter" not in first.stdout + first.stderr
    assert first.stdout.splitlines()[-1] == "next: ngp output dev"
    again = ngp.call("apply", "dev", "--auto-approve")
    assert _after_the_table(again) == _after_the_table(first)


def test_the_outputs_are_those_of_the_units_that_were_applied(shown, ngp_in):
    ngp = ngp_in(shown.path)
    assert [row[0] for row in _after_the_table(ngp.call("apply", "dev", "base", "--auto-approve"))] == [
        "base",
        "subnet_ids",
    ]
    assert HEAD not in [line.split() for line in ngp.call("plan", "dev").stdout.splitlines()]


@pytest.mark.parametrize(("more", "applied"), [("", ["base"]), ("state: single\n", [])])
def test_the_old_format_keeps_nulls(region, ngp_in, more, applied):
    region.choose(region.ENVIRONMENT + more)
    ngp = ngp_in(region.path)
    assert "nothing" not in ngp.call("output", "dev", "--format", "terraform-out").stdout
    assert ngp.call("apply", "dev", *applied, "--auto-approve").exit_code == 0
    lines = ngp.call("output", "dev", "--format", "terraform-out").stdout.splitlines()
    assert {"nothing = null", 'name = "region-10.0.0.0/16"'} <= set(lines)
    assert any(line.startswith("app_ids") for line in lines) is not bool(applied)  # else it was never applied
    assert "nothing" not in ngp.call("output", "dev", "--format", "tfvars").stdout
