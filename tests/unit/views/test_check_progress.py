"""What `module check` tells on stderr while it is at work."""

from ngp.catalogue.checks import Checked
from ngp.catalogue.rules.source import Fault
from ngp.errors import Finding
from ngp.views.modules import CheckProgress


def test_each_module_has_a_line_with_its_time_and_how_many_are_done(settings, capsys):
    follow = CheckProgress(12, settings)
    follow.on_checked(Checked("network", (), 31.24))
    follow.on_checked(Checked("ecr", (Fault("ecr", "tags", Finding("no tags")),), 0.5))
    shown = capsys.readouterr()
    assert shown.err == "[1/12] network: ok (31.2 s)\n[2/12] ecr: 1 found (500 ms)\n"
    assert shown.out == ""
