"""`ngp plan` with a pool: the same result as without, by providers that run already, and the pool's own command."""

import pytest

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox, pytest.mark.slow]


@pytest.fixture
def region(tmp_path, ngp_in):
    """A platform with one small unit of AWS, applied."""
    assert ngp_in(tmp_path).run("init", "platform").exit_code == 0
    run = ngp_in(tmp_path / "platform").run

    def ngp(*words):
        outcome = run(*words)
        assert outcome.exit_code == 0, outcome.stderr
        return outcome

    ngp("env", "new", "lab", "--sandbox", "--region", "eu-central-1", "--domain", "lab.example.test")
    ngp("configure", "lab", "--module", "ecr", "--set", "pre_tag=warm-one", "--set", "post_tag=lab", "--no-input")
    ngp("render", "lab")
    ngp("apply", "lab", "--auto-approve")
    yield ngp
    run("pool", "stop")
    run("sandbox", "stop")


def shown(outcome):
    """A plan's document without what no two runs share."""
    document = outcome.document
    return {
        **{key: value for key, value in document.items() if key not in ("run_id", "duration_s")},
        "units": [{k: v for k, v in one.items() if k not in ("duration_s", "log")} for one in document["units"]],
    }


def running(region):
    """The processes of the pool's providers."""
    (proxy,) = region("pool", "status", "--json").document["proxies"]
    return [one["pid"] for one in proxy["providers"]]


def test_plans_through_the_pool_are_those_without_it_and_find_their_provider_running(region):
    without = region("--no-provider-proxy", "plan", "lab", "--json")
    region("pool", "start")
    warm = [region("plan", "lab", "--json") for _ in range(2)]
    state = region("pool", "status", "--json").document
    pids = running(region)
    assert shown(warm[0]) == shown(warm[1]) == shown(without)
    (proxy,) = state["proxies"]
    assert (proxy["environments"], len(pids)) == (["lab"], 1)
    assert "without the" not in warm[0].stderr + warm[1].stderr
    region("plan", "lab")
    assert running(region) == pids
    region("destroy", "lab", "--auto-approve", "--accept-data-loss", "network")
    assert "lab: registry.terraform.io/hashicorp/aws, process" in region("pool", "status").stdout
