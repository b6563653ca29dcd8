"""Many hosts in the benchmark: the goals are limits, and the files are those that the contestants read."""

import pytest

from bench.cases import hosts
from bench.contest import Score, judge
from bench.measuring import Sample
from ngp.hosts.static import FileSource

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9Vj2Vd0Ge4bq8hZ1SPLPnFvVKkYzWQmS0u6ZlDXc3T"


@pytest.mark.parametrize(("wall_s", "measured", "is_met"), [(1.999, "2.00 s", True), (2.1, "2.10 s", False)])
def test_a_limit_is_met_up_to_its_value(wall_s, measured, is_met):
    goal = hosts._at_most("wall_s", 2.0, "ngp")
    verdict = judge(goal, {"ngp": Score((Sample(wall_s),))})
    assert (verdict.measured, verdict.is_met) == (measured, is_met)


def test_the_hosts_yaml_has_an_entry_for_each_address(tmp_path):
    (tmp_path / "hosts.yaml").write_text(hosts._entries(["127.0.8.1", "127.0.8.2"], 2222, KEY))
    found = FileSource(tmp_path, "lab").hosts()
    assert [(host.address, host.port, host.host_keys) for host in found] == [
        ("127.0.8.1", 2222, (KEY,)),
        ("127.0.8.2", 2222, (KEY,)),
    ]
