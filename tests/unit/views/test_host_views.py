"""Tables of hosts and of what became of commands there."""

from ngp.hosts.host import Host
from ngp.hosts.remote import HostResult
from ngp.packages.versions import PackageVersion
from ngp.views import hosts, packages


def test_what_a_host_says_makes_no_row_of_its_own(settings, capsys):
    bad = HostResult(Host("evil\tx", "i-1", "qa"), 1, 0.0, "differs\nweb-2  0     0.1", "do\nthis")
    hosts.summary([bad], settings)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4
    assert lines[1] == r"evil\tx  1     0.0      differs\nweb-2  0     0.1"
    assert lines[2] == r"fix: do\nthis"


def test_what_a_host_says_of_versions_makes_no_row_of_its_own():
    assert len("\n".join(packages.table([PackageVersion("web\nx", "shop", "1\n2")])).splitlines()) == 2
