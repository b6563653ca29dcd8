"""A run to look at, and surroundings without a terminal."""

from types import SimpleNamespace

import pytest

from ngp.runs.events import RunStarted, UnitSummary
from ngp.runs.results import Counts, Outcome, RunResult, UnitResult, UnknownInput, Verb
from ngp.settings import Settings
from ngp.terraform.events import Diagnostic
from ngp.terraform.plans import Action, Change, OutputChange


@pytest.fixture
def surroundings(tmp_path):
    def make(terminal=False, **environ):
        return Settings(
            environ=environ,
            cwd=tmp_path,
            home=tmp_path,
            is_ci=False,
            is_interactive=terminal,
            stdout_is_terminal=terminal,
            stderr_is_terminal=terminal,
        )

    return make


@pytest.fixture
def settings(surroundings):
    return surroundings()


@pytest.fixture
def started():
    return RunStarted(
        run_id="20261121-1200-ab12",
        verb=Verb.PLAN,
        environment="dev",
        target="sandbox",
        account="123456789012",
        region="eu-central-1",
        commit="a5aa428+",
        terraform="1.11.4",
        providers=("hashicorp/aws 5.100.0",),
        units=(
            UnitSummary("network", "network", 1),
            UnitSummary("openvpn", "openvpn", 2),
            UnitSummary("registry", "ecr", 1),
        ),
    )


NETWORK = UnitResult(
    unit="network",
    module="network",
    wave=1,
    outcome=Outcome.PLANNED,
    counts=Counts(create=1, update=1, replace=1, delete=1),
    changes=(
        Change("module.network.aws_eip.nat[0]", "aws_eip", Action.CREATE, after={"domain": "vpc"}),
        Change(
            "module.network.aws_vpc.this",
            "aws_vpc",
            Action.UPDATE,
            before={"tags": {"Name": "old", "Stage": "dev"}, "cidr": "10.0.0.0/16", "password": "(sensitive)"},
            after={"tags": {"Name": "new", "Stage": "dev"}, "cidr": "10.0.0.0/16", "password": "(sensitive)"},
            after_unknown={"arn": True},
        ),
        Change(
            'module.network.aws_subnet.this["a"]',
            "aws_subnet",
            Action.REPLACE,
            before={"cidr_block": "10.0.1.0/24", "zone": "a", "ports": [80, 443]},
            after={"cidr_block": "10.0.2.0/24", "zone": None, "ports": [80, 8443, 9000]},
            replace_paths=(("cidr_block",),),
        ),
        Change("module.network.aws_route.old", "aws_route", Action.DELETE, before={"id": "r-1"}),
    ),
    outputs={
        "vpc_id": OutputChange("vpc_id", Action.CREATE, after="vpc-1"),
        "token": OutputChange("token", Action.CREATE, after="hunter2", sensitive=True),
    },
    duration_s=4.2,
)
OPENVPN = UnitResult(
    unit="openvpn",
    module="openvpn",
    wave=2,
    outcome=Outcome.PLANNED,
    counts=Counts(create=1),
    changes=(Change("module.openvpn.aws_instance.this", "aws_instance", Action.CREATE),),
    unknowns=(
        UnknownInput("vpc_id", "network.vpc_id", 1),
        *(UnknownInput(f"subnet_ids[{at}]", "network.subnet_ids", 1) for at in range(5)),
    ),
    is_preview=True,
    duration_s=2.0,
)
DEFERRED = UnitResult("shop", "alb", 3, Outcome.DEFERRED, reason="`count` depends on openvpn.names")
BROKEN = UnitResult(
    unit="registry",
    module="ecr",
    wave=1,
    outcome=Outcome.FAILED,
    reason="apply failed",
    diagnostics=(
        Diagnostic(
            "error", "creating ECR repository", "AccessDenied:\n  not you", "module.registry.aws_ecr.a", "main.tf:3"
        ),
    ),
    duration_s=65.4,
    log=".ngp/runs/1/registry.log",
)
IDLE = UnitResult("network", "network", 1, Outcome.NO_CHANGES, duration_s=0.85)


@pytest.fixture
def result():
    def make(*units, verb=Verb.PLAN, stopped_by=0):
        return RunResult("20261121-1200-ab12", verb, "dev", units, duration_s=71.6, stopped_by=stopped_by)

    return make


@pytest.fixture
def units():
    """Results by a name: network and openvpn have changes, shop is deferred, registry failed, idle has none."""
    return SimpleNamespace(network=NETWORK, openvpn=OPENVPN, shop=DEFERRED, registry=BROKEN, idle=IDLE)
