"""What `ngp doctor` says about the support of tools."""

from datetime import date

import pytest

from ngp.catalogue import support
from ngp.runs import prerequisites


@pytest.mark.parametrize(
    ("day", "text"),
    [
        ("2026-01-01", "; standard support of Terraform 1.13.2 ends on 2026-04-29, in 118 days"),
        ("2026-11-30", "; it works, but standard support of Terraform 1.13.2 ended on 2026-04-29, 215 days ago"),
        ("2025-01-01", ""),
    ],
)
def test_a_tool_whose_support_ended_is_ok_because_it_works(monkeypatch, day, text):
    monkeypatch.setattr(support, "today", lambda: date.fromisoformat(day))
    assert prerequisites.describe_support("terraform", "1.13.2") == text
