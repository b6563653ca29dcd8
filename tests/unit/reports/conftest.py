"""A report to write."""

from dataclasses import replace

import pytest

from ngp.reports import making
from ngp.reports.report import BundleFact, Cause
from ngp.runs.results import WireEdge
from tests.unit.reports.sample import CANARY, run

SUBNET = ("network", 'module.network.aws_subnet.this["a"]')


@pytest.fixture
def report():
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
