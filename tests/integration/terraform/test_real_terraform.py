"""The driver on real Terraform, with its built-in provider only."""

from __future__ import annotations

import json
import os
import threading
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from ngp.errors import NgpError
from ngp.terraform import binary, child_environ, events, states
from ngp.terraform.commands import PlanOptions
from ngp.terraform.driver import Root, Terraform, Watch
from ngp.terraform.plans import SENSITIVE, Action

pytestmark = pytest.mark.terraform

MAIN = """
variable "name" {
  type    = string
  default = "a"
}

variable "password" {
  type      = string
  ephemeral = true
  default   = "none"
}

resource "terraform_data" "plain" {
  input = var.name
}

resource "terraform_data" "secret" {
  input = sensitive("hush")
}

output "name" {
  value = terraform_data.plain.output
}

output "key" {
  value     = "hush"
  sensitive = true
}
"""
SLOW = """
resource "terraform_data" "slow" {
  provisioner "local-exec" {
    command = "sleep 30"
  }
}
"""


@pytest.fixture(scope="session", params=["", "bundled"])
def terraform(request, tmp_path_factory) -> Terraform:
    folder = tmp_path_factory.mktemp("terraform")
    environ = {**os.environ, "TF_CLI_CONFIG_FILE": str(folder / "none")}
    found = binary.find(request.param, ">= 1.11.0, < 2.0.0", environ, cwd=folder, cache=folder)
    return Terraform(found, child_environ.build(environ, {}))


@pytest.fixture
def root(tmp_path) -> Root:
    path = tmp_path / "root"
    path.mkdir()
    (path / "main.tf").write_text(MAIN)
    return Root(path, tmp_path / "data")


def test_a_root_from_init_to_an_empty_plan(terraform, root, tmp_path):
    saved, seen = tmp_path / "p", []
    watch = Watch(on_event=seen.append, log=tmp_path / "log")
    assert terraform.init(root).is_ok
    assert terraform.init(root).skipped
    assert terraform.validate(root).is_ok

    planned = terraform.plan(root, PlanOptions(out=saved), secrets={"password": "swordfish"}, watch=watch)
    assert (planned.is_ok, planned.has_changes, planned.summary) == (True, True, events.Summary(2, 0, 0, "plan"))
    assert events.PlannedChange("terraform_data.plain", "create") in seen

    plan = terraform.show_plan(root, saved)
    changes = {change.address: change for change in plan.changes}
    assert {change.action for change in plan.changes} == {Action.CREATE}
    assert changes["terraform_data.secret"].after["input"] == SENSITIVE
    assert changes["terraform_data.plain"].after["input"] == "a"
    assert plan.outputs["key"].sensitive
    assert plan.outputs["key"].after == SENSITIVE
    assert plan.outputs["name"].after_unknown is True

    applied = terraform.apply(root, saved, secrets={"password": "swordfish"}, watch=watch)
    assert applied.is_ok
    done = [event.address for event in seen if isinstance(event, events.ResourceDone)]
    assert sorted(done) == ["terraform_data.plain", "terraform_data.secret"]
    assert "swordfish" not in (tmp_path / "log").read_text()

    state = states.parse((root.path / "terraform.tfstate").read_text())
    assert state.outputs == terraform.output(root) == {
        "name": states.StateOutput("a", "string"),
        "key": states.StateOutput("hush", "string", sensitive=True),
    }  # fmt: skip
    assert [one.address for one in state.resources] == ["terraform_data.plain", "terraform_data.secret"]
    assert state.serial > 0

    again = terraform.plan(root)
    assert (again.is_ok, again.has_changes) == (True, False)


def test_values_of_any_kind_come_back_equal_through_a_var_file(terraform, root, tmp_path):
    value = {"a": ['"', "${x} %{y}", "é\n\\", "$${", None, True], "n": [1, 12345678901234567890, Decimal("0.1")]}
    (root.path / "main.tf").write_text('variable "value" {\n  type = any\n}\n')
    file = tmp_path / "v.tfvars.json"
    file.write_text(json.dumps({"value": value}, default=float))
    assert terraform.init(root).is_ok
    assert terraform.evaluate(root, "var.value", var_files=[file]) == value


def test_what_is_wrong_has_its_place(terraform, root):
    (root.path / "more.tf").write_text('\noutput "x" {\n  value = var.nothing\n}\n')
    assert terraform.init(root).is_ok
    (error,) = terraform.validate(root).errors
    assert (error.place, error.summary) == ("more.tf:3", "Reference to undeclared input variable")


def test_option_that_terraform_does_not_know_is_told_in_its_words(terraform, root):
    terraform.init(root)
    result = terraform.plan(root, PlanOptions(extra=("-nonsense",)))
    assert not result.is_ok
    assert "-nonsense" in result.errors[0].summary + result.errors[0].detail


def test_plan_that_is_none_is_told(terraform, root, tmp_path):
    terraform.init(root)
    (tmp_path / "p").write_text("no plan")
    with pytest.raises(NgpError, match="terraform show"):
        terraform.show_plan(root, tmp_path / "p")


def test_interrupted_apply_ends_in_order_and_leaves_no_lock(terraform, root, tmp_path):
    (root.path / "main.tf").write_text(SLOW)
    stop = threading.Event()

    def interrupt(event: events.Event) -> None:
        if isinstance(event, events.ResourceStarted):
            stop.set()

    terraform.init(root)
    terraform.plan(root, PlanOptions(out=tmp_path / "p"))
    began = time.monotonic()
    result = replace(terraform, stop=stop).apply(root, tmp_path / "p", watch=Watch(on_event=interrupt))
    assert result.stopped
    assert not result.is_ok
    assert time.monotonic() - began < 25
    assert terraform.plan(root).lock_holder is None


def test_state_that_another_run_holds_says_by_whom(terraform, root, tmp_path):
    (root.path / "main.tf").write_text(SLOW)
    stop, started = threading.Event(), threading.Event()

    def mark(event: events.Event) -> None:
        if isinstance(event, events.ResourceStarted):
            started.set()

    terraform.init(root)
    terraform.plan(root, PlanOptions(out=tmp_path / "p"))
    apply = replace(terraform, stop=stop).apply
    other = threading.Thread(target=apply, args=(root, tmp_path / "p"), kwargs={"watch": Watch(on_event=mark)})
    other.start()
    try:
        assert started.wait(20)
        result = terraform.plan(root)
    finally:
        stop.set()
        other.join()
    assert not result.is_ok
    assert result.lock_holder is not None
    assert "@" in result.lock_holder.who
    assert result.lock_holder.operation == "OperationTypeApply"


def test_formatting(terraform, root):
    assert terraform.format(root, "a   = 1\nbb = 2\n") == "a  = 1\nbb = 2\n"
    with pytest.raises(NgpError, match="fmt"):
        terraform.format(root, "a = {")
    assert terraform.unformatted(root) == []
    (root.path / "sub").mkdir()
    (root.path / "sub" / "x.tf").write_text("locals {\na=1\n}\n")
    assert terraform.unformatted(root) == ["sub/x.tf"]


def test_terraform_tests_are_run_and_their_failures_are_diagnostics(terraform, root):
    # tried: `terraform test` wants an ephemeral variable's value said, a default is not enough
    (root.path / "main.tf").write_text('output "name" {\n  value = "a"\n}\n')
    (root.path / "tests").mkdir()
    file = root.path / "tests" / "a.tftest.hcl"
    file.write_text(
        'run "name" {\n  assert {\n    condition     = output.name == "a"\n    error_message = "no"\n  }\n}\n'
    )
    terraform.init(root)
    assert terraform.test(root).is_ok
    file.write_text(file.read_text().replace('"a"', '"b"').replace('"no"', '"it is not b"'))
    result = terraform.test(root)
    assert not result.is_ok
    assert "it is not b" in result.errors[0].detail


def test_backend_that_changed_is_taken_as_it_is_and_nothing_is_copied(terraform, root):
    backend = root.path / "backend.tf"
    backend.write_text('terraform {\n  backend "local" {\n    path = "one.tfstate"\n  }\n}\n')
    assert terraform.init(root).is_ok
    Path(root.path / "one.tfstate").write_text('{"version": 4, "serial": 1, "lineage": "x", "resources": []}')
    backend.write_text(backend.read_text().replace("one", "two"))
    result = terraform.init(root)
    assert result.is_ok
    assert not result.skipped
    assert not (root.path / "two.tfstate").exists()
