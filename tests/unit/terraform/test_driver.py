"""The driver's calls against a scripted program that stands in for Terraform."""

from __future__ import annotations

import json
import os
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from ngp import processes, supervised
from ngp.errors import MissingError, NgpError, StoppedError
from ngp.terraform.attempts import Attempt
from ngp.terraform.binary import Binary
from ngp.terraform.commands import PlanOptions
from ngp.terraform.driver import CONSOLE_LINE, Root, Terraform, Watch
from ngp.terraform.events import Diagnostic, Summary, TerraformVersion, UnknownEvent

LOCK_DETAIL = """Error message: resource temporarily unavailable
Lock Info:
  ID:        9db590f1-b6fe
  Path:      bucket/network.tfstate
  Operation: OperationTypeApply
  Who:       ana@laptop
  Version:   1.11.4
  Created:   2026-11-21 11:09:40 +0000 UTC
  Info:

Terraform acquires a state lock to protect the state from being written
"""


@pytest.fixture
def root(tmp_path) -> Root:
    (tmp_path / "root").mkdir()
    return Root(tmp_path / "root", tmp_path / "data")


@pytest.fixture
def scripted(tmp_path):
    """Make a Terraform whose program is a Python script; what it was called with lies in ``calls``."""

    def make(script: str, **environ: str) -> Terraform:
        path = tmp_path / "terraform.py"
        record = (
            f"import json, os, sys\nopen({str(tmp_path / 'calls')!r}, 'a').write(json.dumps(sys.argv[1:]) + '\\n')\n"
        )
        path.write_text(record + script)
        return Terraform(Binary((sys.executable, str(path)), "1.11.4"), {"PATH": os.environ["PATH"], **environ})

    return make


def calls(tmp_path: Path) -> list[list[str]]:
    return [json.loads(line) for line in (tmp_path / "calls").read_text().splitlines()]


def says(*messages: object) -> str:
    return "".join(f"print({json.dumps(json.dumps(message))})\n" for message in messages)


def failing(summary: str, detail: str = "") -> str:
    diagnostic = {"severity": "error", "summary": summary, "detail": detail}
    return says({"type": "diagnostic", "diagnostic": diagnostic}) + "sys.exit(1)\n"


def test_plan_with_changes_is_a_success_that_has_changes(scripted, root, tmp_path):
    changes = {"add": 1, "change": 0, "remove": 0, "operation": "plan"}
    terraform = scripted(says({"type": "change_summary", "changes": changes}) + "sys.exit(2)")
    result = terraform.plan(root, PlanOptions(out=Path("p")))
    assert (result.exit_code, result.has_changes, result.is_ok) == (0, True, True)
    assert result.summary == Summary(1, 0, 0, "plan")
    assert result.duration_s > 0
    assert calls(tmp_path) == [["plan", "-no-color", "-input=false", "-json", "-out=p", "-detailed-exitcode"]]


def test_plan_without_changes(scripted, root):
    result = scripted("").plan(root)
    assert (result.is_ok, result.has_changes, result.diagnostics) == (True, False, ())


def test_events_come_in_order_while_it_runs(scripted, root):
    seen = []
    terraform = scripted(says({"type": "version", "terraform": "1.11.4"}) + "print('a line that is no JSON')\n")
    terraform.plan(root, watch=Watch(on_event=seen.append))
    assert seen == [TerraformVersion("1.11.4"), UnknownEvent("text", {"text": "a line that is no JSON"})]


def test_message_of_a_million_characters_streams(scripted, root, tmp_path):
    seen = []
    script = "print(json.dumps({'type': 'log', '@message': 'x' * 1_000_000}))"
    result = scripted(script).plan(root, watch=Watch(on_event=seen.append, log=tmp_path / "log"))
    assert result.is_ok
    assert len(seen[0].document["@message"]) == 1_000_000
    assert (tmp_path / "log").stat().st_size > 1_000_000


def test_failure_has_terraforms_diagnostics(scripted, root):
    result = scripted(failing("Unsupported argument", "no `x` here")).plan(root)
    assert not result.is_ok
    assert result.errors == (Diagnostic("error", "Unsupported argument", "no `x` here"),)
    assert result.lock_holder is None


def test_failure_outside_json_becomes_a_diagnostic(scripted, root):
    script = "print('╷\\n│ Error: No configuration\\n│ \\n│ Say more.\\n╵', file=sys.stderr); sys.exit(1)"
    assert scripted(script).plan(root).diagnostics == (Diagnostic("error", "Error: No configuration", "Say more."),)


def test_failure_without_a_word_says_the_exit_code(scripted, root):
    assert scripted("sys.exit(9)").apply(root, Path("p")).errors[0].summary == "Terraform ended with code 9"


def test_locked_state_says_who_holds_it(scripted, root):
    holder = scripted(failing("Error acquiring the state lock", LOCK_DETAIL)).plan(root).lock_holder
    assert holder is not None
    assert (holder.id, holder.who, holder.operation) == ("9db590f1-b6fe", "ana@laptop", "OperationTypeApply")
    assert (holder.path, holder.version) == ("bucket/network.tfstate", "1.11.4")
    assert str(holder) == "ana@laptop with apply since 2026-11-21 11:09:40 +0000 UTC (lock 9db590f1-b6fe)"


@pytest.mark.parametrize(
    "detail",
    [
        "Error message: operation error S3: PutObject, https response error StatusCode: 412, PreconditionFailed: x",
        "Error message: operation error S3: PutObject, https response error StatusCode: 409, y",
        "Error message: resource temporarily unavailable",
    ],
)
def test_locked_state_without_details_is_locked_all_the_same(scripted, root, detail):
    holder = scripted(failing("Error acquiring the state lock", detail)).plan(root).lock_holder
    assert str(holder) == "somebody with an operation since an unknown time (lock )"


@pytest.mark.parametrize(
    "detail",
    [
        "Error message: operation error S3: PutObject, https response error StatusCode: 503, SlowDown",
        "Error message: operation error S3: PutObject, https response error StatusCode: 403, AccessDenied",
        "Error message: open .terraform.tfstate.lock.info: permission denied",
        "timeout\n  ID:\n  Who:\n",
    ],
)
def test_a_lock_that_could_not_be_written_is_held_by_nobody(scripted, root, detail):
    result = scripted(failing("Error acquiring the state lock", detail)).plan(root)
    assert result.lock_holder is None
    assert result.errors[0].detail == detail


def test_environment_is_the_given_one_with_the_roots_data_and_the_secrets(scripted, root):
    script = says() + "print(json.dumps({'type': 'env', 'env': dict(os.environ)}))"
    seen = []
    scripted(script, GIVEN="1").apply(root, Path("p"), secrets={"pin": "7391"}, watch=Watch(on_event=seen.append))
    environ = seen[0].document["env"]
    assert (environ["GIVEN"], environ["TF_DATA_DIR"], environ["TF_VAR_pin"]) == ("1", str(root.data), "(secret)")
    scripted(script).apply(root, Path("p"), watch=Watch(on_event=seen.append))
    assert "TF_VAR_pin" not in seen[1].document["env"]


def test_no_secret_reaches_an_event_a_diagnostic_or_the_log(scripted, root, tmp_path):
    secret = 'p"<é>\n&w'
    script = """
value = os.environ['TF_VAR_password']
print(json.dumps({'type': 'log', '@message': value}))
print(json.dumps({'type': 'log', '@message': value}, ensure_ascii=False))
print(json.dumps({'type': 'diagnostic', 'diagnostic': {'severity': 'error', 'summary': value, 'detail': value}}))
go = json.dumps({'a': value}, ensure_ascii=False)
print(go.replace('<', '\\\\u003c').replace('>', '\\\\u003e').replace('&', '\\\\u0026'))
print(json.dumps(value), file=sys.stderr)
sys.exit(1)
"""
    seen: list[object] = []
    result = scripted(script).plan(
        root, secrets={"password": secret}, watch=Watch(on_event=seen.append, log=tmp_path / "log")
    )
    told = repr((seen, result)) + (tmp_path / "log").read_text()
    assert told.count("(secret)") >= 10
    for part in (secret, "<é>", "\\u003c", "&w", "\\u0026w"):
        assert part not in told


@pytest.mark.parametrize("secret", ["1", "type", '"', "a"])
def test_short_secret_does_not_break_the_stream(scripted, root, secret):
    seen: list[object] = []
    changes = {"add": 1, "change": 0, "remove": 0, "operation": "apply"}
    script = says({"type": "change_summary", "changes": changes}, {"type": "log", "@message": secret})
    scripted(script).apply(root, Path("p"), secrets={"s": secret}, watch=Watch(on_event=seen.append))
    assert seen == [Summary(1, 0, 0, "apply"), UnknownEvent("log", {"type": "log", "@message": "(secret)"})]


def test_log_is_appended_with_every_line_of_both_streams(scripted, root, tmp_path):
    log = tmp_path / "logs" / "network.log"
    terraform = scripted("print('{}'); print('talk', file=sys.stderr)")
    terraform.plan(root, watch=Watch(log=log))
    terraform.plan(root, watch=Watch(log=log))
    assert sorted(log.read_text().splitlines()) == ["talk", "talk", "{}", "{}"]


def test_stopped_call_says_so_and_blames_nobody(scripted, root):
    stop = threading.Event()
    script = """
import signal, time
signal.signal(signal.SIGINT, lambda *_: sys.exit(1))
print('{}', flush=True)
time.sleep(60)
"""
    result = replace(scripted(script), stop=stop).plan(root, watch=Watch(on_event=lambda _: stop.set()))
    assert result.stopped
    assert not result.is_ok
    assert result.diagnostics == ()


def test_apply_has_long_to_end_in_order_and_a_plan_has_not(scripted, root, monkeypatch):
    graces, calls = [], []

    def run(request: processes.ProcessRequest, call: supervised.SupervisedCall, **_: object) -> processes.ProcessResult:
        graces.append(request.grace_s)
        calls.append(call)
        return processes.ProcessResult(0, "", "", 0.0)

    monkeypatch.setattr(supervised, "run", run)
    scripted("").apply(root, Path("p"))
    scripted("").plan(root)
    assert graces[0] >= 300
    assert graces[1] == processes.GRACE_S
    assert [(call.about, call.tied, call.reserve > 0) for call in calls] == [
        ("apply", False, True),  # it outlives a killed ngp
        ("plan", True, False),
    ]


def test_stopped_reading_raises(scripted, root, tmp_path):
    stop = threading.Event()
    stop.set()
    terraform = replace(scripted("open('started', 'w')"), stop=stop)
    for read in (
        lambda: terraform.show_plan(root, tmp_path / "p"),
        lambda: terraform.format(root, "a = 1"),
        lambda: terraform.unformatted(root),
        lambda: terraform.evaluate(root, "1"),
    ):
        with pytest.raises(StoppedError):
            read()
    assert not (root.path / "started").exists()


@pytest.mark.parametrize("verb", ["init", "validate", "plan", "test"])
def test_no_call_starts_after_the_stop_and_none_is_blamed(scripted, root, verb):
    stop = threading.Event()
    stop.set()
    result = getattr(replace(scripted("open('started', 'w')"), stop=stop), verb)(root)
    assert (result.stopped, result.is_ok, result.diagnostics) == (True, False, ())
    assert not (root.path / "started").exists()


def test_state_that_could_not_be_written_is_pointed_out(scripted, root):
    result = scripted("open('errored.tfstate', 'w').write('{}'); sys.exit(1)").apply(root, Path("p"))
    assert result.errored_state == root.path / "errored.tfstate"


def test_apply_is_of_that_plan_alone(scripted, root, tmp_path):
    assert scripted("").apply(root, Path("/runs/p")).errored_state is None
    assert calls(tmp_path) == [["apply", "-no-color", "-input=false", "-json", "/runs/p"]]


def test_validate_reads_its_findings(scripted, root):
    found = {"severity": "error", "summary": "S", "detail": "D", "range": {"filename": "a.tf", "start": {"line": 2}}}
    seen = []
    script = says({"valid": False, "diagnostics": [found]}) + "sys.exit(1)"
    result = scripted(script).validate(root, watch=Watch(on_event=seen.append))
    assert result.diagnostics == tuple(seen) == (Diagnostic("error", "S", "D", place="a.tf:2"),)
    assert result.exit_code == 1


def test_validate_that_prints_no_json_is_a_failure_in_its_own_words(scripted, root):
    result = scripted("print('Error: not initialised', file=sys.stderr); sys.exit(1)").validate(root)
    assert result.errors[0].summary == "Error: not initialised"


def test_reading_fails_with_terraforms_words(scripted, root):
    script = "print('Error: Failed to load plan\\n\\nnot a zip', file=sys.stderr); sys.exit(1)"
    with pytest.raises(NgpError) as raised:
        scripted(script).show_plan(root, Path("p"))
    finding = raised.value.findings[0]
    assert (finding.what, finding.why) == ("`terraform show` failed: Failed to load plan", "not a zip")


def test_reading_that_gives_no_json_is_told(scripted, root):
    with pytest.raises(NgpError, match="`terraform output` did not print JSON"):
        scripted("print('{')").output(root)


def test_show_plan_and_output_give_values(scripted, root):
    assert scripted(says({"format_version": "1.2"})).show_plan(root, Path("p")).changes == ()
    assert scripted(says({"a": {"value": 1, "type": "number"}})).output(root)["a"].value == 1


@pytest.mark.parametrize("expression", ["1\n2", "x" * (CONSOLE_LINE + 1)])
def test_console_refuses_what_terraform_would_lose(scripted, root, expression):
    with pytest.raises(ValueError, match="one line"):
        scripted("").console(root, expression)


def test_evaluate_tells_what_cannot_be_shown(scripted, root):
    with pytest.raises(NgpError, match="no value"):
        scripted("print('(sensitive value)')").evaluate(root, "var.password")


def test_unformatted_files_are_listed_and_unreadable_ones_raise(scripted, root):
    assert scripted("print('b.tf'); sys.exit(3)").unformatted(root) == ["b.tf"]
    assert scripted("").unformatted(root) == []
    with pytest.raises(NgpError, match="fmt"):
        scripted("print('Error: x', file=sys.stderr); sys.exit(2)").unformatted(root)


def test_vanished_program_is_a_missing_prerequisite(root):
    with pytest.raises(MissingError):
        Terraform(Binary(("/no/such/terraform",), "1.11.4"), {}).plan(root)


def test_callback_that_raises_is_raised_here(scripted, root):
    def fail(event: object) -> None:
        raise LookupError("a view's bug")

    with pytest.raises(LookupError):
        scripted(says({"type": "log"}) * 100).plan(root, watch=Watch(on_event=fail))


def test_init_is_readonly_where_there_is_a_lock_and_skipped_the_second_time(scripted, root, tmp_path):
    (root.path / ".terraform.lock.hcl").write_text("# nothing\n")
    terraform = scripted("")
    assert not terraform.init(root).skipped
    assert terraform.init(root).skipped
    assert calls(tmp_path) == [
        ["init", "-no-color", "-input=false", "-json", "-lockfile=readonly", "-reconfigure", "-backend=true"]
    ]


def test_init_without_a_lock_file_may_write_one(scripted, root, tmp_path):
    scripted("").init(root, backend=False)
    assert calls(tmp_path) == [["init", "-no-color", "-input=false", "-json", "-backend=false"]]


def test_failed_init_is_not_remembered(scripted, root):
    assert not scripted(failing("no")).init(root).is_ok
    assert not scripted("").init(root).skipped


def test_init_of_another_mirror_or_version_is_done_again(scripted, root, tmp_path):
    terraform = scripted("")
    terraform.init(root)
    other = Terraform(terraform.binary, terraform.environ, tmp_path)
    assert not other.init(root).skipped
    newer = Terraform(Binary(terraform.binary.argv, "1.12.0"), terraform.environ, tmp_path)
    assert not newer.init(root).skipped


def test_lock_that_differs_in_its_constraints_is_expected_and_not_told(scripted, root):
    seen: list[object] = []
    warning = {"severity": "warning", "summary": "Provider lock file not updated", "detail": "…"}
    result = scripted(says({"type": "diagnostic", "diagnostic": warning})).init(root, watch=Watch(on_event=seen.append))
    assert (result.diagnostics, seen) == ((), [])


class Way:
    """A way to running providers that goes wrong once, or needs a second try."""

    def __init__(self, *, tries: int, serves: bool) -> None:
        self.is_open, self.tries, self.serves, self.verbs = True, tries, serves, []

    def run(self, root, data, verb, go, *, calls):
        self.verbs.append(verb)
        for number in range(self.tries):
            if not go(Attempt({"TF_REATTACH_PROVIDERS": str(number)}, is_last=False)):
                break
        return self.serves or verb == "init"


SERVED_PLAN = """
served = os.environ.get('TF_REATTACH_PROVIDERS', 'plain')
print(json.dumps({'type': 'diagnostic', 'diagnostic': {'severity': 'error', 'summary': served, 'detail': ''}}))
sys.exit(1 if sys.argv[1] == 'plan' else 0)
"""


def test_errors_of_a_try_that_is_repeated_are_not_told(scripted, root):
    terraform = replace(scripted(SERVED_PLAN), serving=Way(tries=2, serves=True))
    seen = []
    result = terraform.plan(root, watch=Watch(seen.append))
    assert [one.summary for one in seen if isinstance(one, Diagnostic)] == ["1"]
    assert [one.summary for one in result.errors] == ["1"]


def test_a_reading_that_fails_for_want_of_a_schema_is_repeated(scripted, root):
    answer = says({"format_version": "1.2"})
    terraform = scripted(f"{answer}sys.exit(0 if os.environ.get('TF_REATTACH_PROVIDERS') == '1' else 1)\n")
    way = Way(tries=2, serves=True)
    assert replace(terraform, serving=way).show_plan(root, root.path / "plan").changes == ()
    assert way.verbs == ["show"]


def test_a_plan_that_cannot_be_served_is_made_plainly_after_a_plain_init(scripted, root, tmp_path):
    terraform = replace(scripted(SERVED_PLAN), serving=Way(tries=1, serves=False), plugin_folder=tmp_path / "mirror")
    seen = []
    result = terraform.plan(root, watch=Watch(seen.append))
    assert [call[0] for call in calls(tmp_path)] == ["plan", "init", "plan"]
    assert f"-plugin-dir={tmp_path / 'mirror'}" in calls(tmp_path)[1]
    assert [one.summary for one in result.errors] == ["plain"]
    assert [one.summary for one in seen if isinstance(one, Diagnostic)] == ["plain"]


def test_an_init_that_installed_nothing_does_not_count_for_the_plain_way(scripted, root, tmp_path):
    plain = scripted("")
    served = replace(plain, serving=Way(tries=1, serves=True))
    assert not served.init(root).skipped
    assert served.init(root).skipped
    assert not plain.init(root).skipped


def test_shim_runs_in_its_folder_for_a_root_outside(scripted, root, tmp_path):
    """A version manager finds its version file from the working folder."""
    (tmp_path / "platform").mkdir()
    terraform = scripted(f"open({str(tmp_path / 'cwd')!r}, 'w').write(os.getcwd())\n")
    binary = replace(terraform.binary, shim_folder=tmp_path / "platform")
    replace(terraform, binary=binary).init(root, backend=False)
    assert (tmp_path / "cwd").read_text() == str(tmp_path / "platform")
    assert calls(tmp_path)[0][:2] == [f"-chdir={root.path}", "init"]
