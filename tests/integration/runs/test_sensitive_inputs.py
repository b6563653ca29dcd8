"""A sensitive input that is not ephemeral takes a reference: its value is in Terraform's environment, not in a file."""

import pytest

from ngp.runs.results import Outcome
from tests.integration.runs.acting import RANGE, app_more, apply, destroy, is_joint, plan

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox]
PASSWORD = """
variable "password" {
  type        = string
  description = "What its users sign in with"
  sensitive   = true
}
resource "terraform_data" "user" {
  input = var.password
  lifecycle {
    postcondition {
      condition     = sha1(self.input) == "1e045888d64fcca7005ff7833b12c901368f4035"
      error_message = "It is another one."
    }
  }
}
"""


@pytest.mark.parametrize("more", ["", "state: single\n"], ids=["joint", "single"])
def test_the_value_is_used_and_is_in_no_file_but_the_state(region, monkeypatch, more):
    monkeypatch.setenv("PASSWORD", "hunter-two")
    app_more(region, PASSWORD)
    region.choose(region.ENVIRONMENT + more, f'{RANGE}app = {{\n  password = "env:PASSWORD"\n}}\n')
    assert {one.outcome for one in apply(region).values()} == {Outcome.APPLIED}
    results = plan(region)
    assert {one.outcome for one in results.values()} == {Outcome.NO_CHANGES}
    assert more or is_joint(results)
    kept = [path for path in region.path.rglob("*") if path.is_file() and path.suffix != ".tfstate"]
    assert not [path for path in kept if b"hunter-two" in path.read_bytes()]
    if not more:
        assert plan(region, "app")["app"].outcome is Outcome.NO_CHANGES
    assert {one.outcome for one in destroy(region).values()} == {Outcome.DESTROYED}
