"""The report that the unit tests write, too."""

from tests.unit.reports.conftest import report as report
