"""Questions to the operator: only on a terminal, and only `yes` is a yes."""

import os
import pty
import subprocess
import sys
from dataclasses import replace

import pytest

from ngp import settings
from ngp.commands import options
from ngp.errors import UsageError

SCRIPT = """
from ngp import settings
from ngp.commands import options
context = options.Context(settings.read(), options.Interruption())
print(options.confirm(context, "Apply?"))
"""


def _context(*, interactive):
    return options.Context(replace(settings.read(), is_interactive=interactive), options.Interruption())


def test_without_a_terminal_the_missing_answer_names_its_flag():
    with pytest.raises(UsageError) as caught:
        options.confirm(_context(interactive=False), "Apply?")
    finding = caught.value.findings[0]
    assert finding.what == "this needs your confirmation: Apply?"
    assert finding.todo == "pass `--auto-approve`"


def test_a_command_that_needs_a_person_names_itself_and_the_flag():
    options.require_person(_context(interactive=True), "ngp", "apply", "dev")
    with pytest.raises(UsageError) as caught:
        options.require_person(_context(interactive=False), "ngp", "apply", "dev")
    finding = caught.value.findings[0]
    assert finding.what == "`ngp apply dev` needs your confirmation"
    assert finding.todo == "pass `--auto-approve`"


def test_a_missing_answer_names_the_variable_that_gives_it():
    with pytest.raises(UsageError) as caught:
        options.ask(_context(interactive=False), "MFA code: ", flag="AWS_SESSION_TOKEN")
    finding = caught.value.findings[0]
    assert (finding.what, finding.todo) == ("this needs your answer: MFA code", "set `AWS_SESSION_TOKEN`")


def _answer(text, **env):
    """Run SCRIPT on a pseudo-terminal and type `text`."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, **env},
        text=True,
        start_new_session=True,
    )
    os.close(theirs)
    os.write(ours, text.encode())
    stdout, _ = process.communicate(timeout=20)
    os.close(ours)
    return process.returncode, stdout


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("yes\n", "True"),
        ("y\n\n", "False"),
        ("y\nyes\n", "True"),
        ("no\n", "False"),
        ("n\n", "False"),
        ("\n", "False"),
        (" yes \n", "True"),
    ],
)
def test_only_yes_is_a_yes(typed, answer):
    assert _answer(typed) == (0, f"{answer}\n")


@pytest.mark.parametrize("env", [{"CI": "true"}, {"TERM": "dumb"}])
def test_nobody_is_asked_in_ci_or_on_a_dumb_terminal(env):
    code, stdout = _answer("yes\n", **env)
    assert code == 1
    assert stdout == ""


def test_the_end_of_input_is_no_answer():
    code, stdout = _answer("\x04")
    assert (code, stdout) == (1, "")


def test_only_an_explicit_call_takes_over_the_signals():
    context = _context(interactive=False)
    assert not context.stop.is_set()
    assert not context.interruption.is_watched
    with context.taking_signals() as stop:
        assert stop is context.stop
        assert context.interruption.is_watched
    assert not context.interruption.is_watched


WORKER = """
import threading
from ngp import settings
from ngp.commands import options
context = options.Context(settings.read(), options.Interruption())
def ask():
    try:
        print(options.confirm(context, "Apply?"), flush=True)
    except BaseException as error:
        print(type(error).__name__, flush=True)
thread = threading.Thread(target=ask)
thread.start()
if STOPS:
    context.interruption.event.set()
thread.join()
"""


@pytest.mark.parametrize(("stops", "typed", "said"), [(True, "", "StoppedError"), (False, "yes\n", "True")])
def test_a_question_of_a_worker_is_answered_or_ends_with_the_run(monkeypatch, stops, typed, said):
    monkeypatch.setitem(globals(), "SCRIPT", f"STOPS = {stops}\n{WORKER}")
    assert _answer(typed) == (0, f"{said}\n")


def test_a_destroy_that_is_refused_keeps_its_units_in_the_line_that_works(platform, ngp_in):
    """Pasted without them, it would destroy the whole environment."""
    here = ngp_in(platform / "environments" / "dev")
    done = here.call("destroy", "app", "--auto-approve")
    assert done.exit_code == 64
    assert "ngp destroy dev app --auto-approve" in done.stderr
    done = here.call("destroy", "app")
    assert done.exit_code == 64
    assert "`ngp destroy dev app` needs your confirmation" in done.stderr
