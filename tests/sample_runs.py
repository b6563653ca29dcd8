"""Runs to make reports from: a plan with every kind of change, and a value that must never be shown."""

import json
from dataclasses import replace

from ngp.errors import Finding
from ngp.reports import making
from ngp.reports.report import BundleFact, Cause
from ngp.runs.results import Counts, Outcome, RunResult, UnitResult, UnknownInput, Verb, WireEdge
from ngp.terraform.events import Diagnostic
from ngp.terraform.plans import SENSITIVE, Action, Change, OutputChange

CANARY = "canary-7f3a9"
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "a"}]}
WIDER = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["*"], "Resource": "a"}]}
SUBNET = ("network", 'module.network.aws_subnet.this["a"]')
SCRIPT = "#!/bin/sh\nset -eu\na\nb\nc\nd\ne\nf\nexec {}\n"

NETWORK = UnitResult(
    "network",
    "network",
    1,
    Outcome.PLANNED,
    Counts(create=1, update=1, replace=1, delete=1),
    (
        Change("module.network.aws_eip.nat[0]", "aws_eip", Action.CREATE, after={"domain": "vpc"}),
        Change(
            "module.network.aws_vpc.this",
            "aws_vpc",
            Action.UPDATE,
            {"id": "vpc-1", "tags": {"Name": "old"}, "policy": json.dumps(POLICY), "token": SENSITIVE},
            {"id": "vpc-1", "tags": {"Name": "new"}, "policy": json.dumps(WIDER), "token": SENSITIVE},
            previous_address="module.network.aws_vpc.main",
            sensitive_changes=(("token",),),
        ),
        Change(
            'module.network.aws_subnet.this["a"]',
            "aws_subnet",
            Action.REPLACE,
            {"cidr_block": "10.0.1.0/24", "id": "subnet-1"},
            {"cidr_block": "10.0.2.0/24"},
            {"id": True},
            replace_paths=(("cidr_block",),),
        ),
        Change("module.network.aws_route.old", "aws_route", Action.DELETE, {"id": "r-1"}),
    ),
    {"vpc_id": OutputChange("vpc_id", Action.CREATE, after="vpc-1")},
    duration_s=4.2,
)
DATABASE = UnitResult(
    "database",
    "rds",
    2,
    Outcome.PLANNED,
    Counts(update=1, delete=1, forget=1),
    (
        Change("module.database.aws_db_parameter_group.this", "aws_db_parameter_group", Action.FORGET, {"id": "pg"}),
        Change("module.database.aws_db_instance.this", "aws_db_instance", Action.DELETE, {"id": "db-1"}),
        Change(
            "module.database.aws_launch_template.this",
            "aws_launch_template",
            Action.UPDATE,
            {"id": "lt-1", "user_data": SCRIPT.format("old")},
            {"id": "lt-1", "user_data": SCRIPT.format(CANARY)},
            importing=True,
            import_id="lt-1",
        ),
    ),
    unknowns=(UnknownInput("vpc_id", "network.vpc_id", 1), UnknownInput("subnet_ids[0]", "network.subnet_ids", 1)),
    is_preview=True,
    duration_s=2.5,
)
OPENVPN = UnitResult(
    "openvpn",
    "openvpn",
    2,
    Outcome.PLANNED,
    Counts(create=1),
    (Change("module.openvpn.aws_instance.this", "aws_instance", Action.CREATE, after={"ami": "ami-1"}),),
    duration_s=1.5,
)
SHOP = UnitResult("shop", "alb", 3, Outcome.DEFERRED, reason="`count` depends on openvpn.names")
REGISTRY = UnitResult(
    "registry",
    "ecr",
    1,
    Outcome.FAILED,
    reason="plan failed",
    findings=(Finding("the repository is taken", "environments/dev/terraform.tfvars:3", "it exists", "rename it"),),
    diagnostics=(Diagnostic("error", "creating ECR repository", "AccessDenied:\n  not you", "module.a", "main.tf:3"),),
    duration_s=3.0,
)
IDLE = UnitResult("bucket", "s3", 1, Outcome.NO_CHANGES, duration_s=0.85)
UNITS = (IDLE, NETWORK, SHOP, OPENVPN, DATABASE, REGISTRY)


def run(*units, verb=Verb.PLAN):
    return RunResult("20261121-120000-plan-dev-ab12", verb, "dev", units or UNITS, duration_s=7.6)


def report():
    """A report of `run()` with causes, times, a bundle and wires."""
    cause = Cause("cidr_block", "network.subnets from terraform.tfvars", "environments/dev/terraform.tfvars:12")
    known = making.RunFacts(
        terraform="1.15.3",
        secrets=(CANARY,),
        causes={SUBNET: (cause,)},
        started={"network": 0.2, "registry": 0.2, "database": 4.5, "openvpn": 4.5},
        bundle=BundleFact("dev.bundle", "0123456789abcdef", "2026-11-22T12:00:00+00:00"),
    )
    made = making.of_run(run(), known, exit_code=1)
    wires = (*made.wires, WireEdge("openvpn", "vpc_id", "network.vpc_id"), WireEdge("shop", "names", "openvpn.names"))
    place = {"project": "ngp", "target": "aws", "account": "123456789012", "region": "eu-central-1"}
    return replace(made, **place, commit="a5aa428b1c2d", is_dirty=True, ngp="0.1.0", wires=wires)
