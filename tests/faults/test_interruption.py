"""The first Ctrl-C, to ngp alone: every command that starts Terraform hands it on, waits for it and ends with 130.

A scripted `terraform` takes the place of the real one: it waits in one verb until it is told to stop. A terminal sends
Ctrl-C to the whole foreground group, but Terraform runs in a group of its own.
"""

import json
import os
import signal
import sys
import time

import pytest

from tests.command_lines import STARTS, STARTS_NONE

FAKE = """#!{python}
import json, pathlib, signal, sys, time
verb, folder = next(word for word in sys.argv[1:] if word[0] != "-"), pathlib.Path({folder!r})
if verb == "version":
    print(json.dumps({{"terraform_version": "1.11.4", "platform": "linux_amd64"}}))
    sys.exit()
def end(*_):
    (folder / "told").write_text(verb)
    sys.exit(1)
signal.signal(signal.SIGINT, end)
(folder / "started").open("a").write(verb + "\\n")
if verb == (folder / "waits").read_text():
    time.sleep(60)
if verb == "validate":
    print(json.dumps({{"valid": True, "diagnostics": []}}))
if "-" in sys.argv:
    sys.stdout.write(sys.stdin.read())
"""
VERBS = [
    *((command, "init") for command in STARTS if command != "lock"),
    *(("module check", verb) for verb in ("fmt", "console", "validate", "test")),
    ("validate", "validate"),
    ("plan", "plan"),
    ("destroy", "plan"),
    ("lock", "providers"),
]


@pytest.fixture
def scripted(tmp_path, platform, ngp):
    """`scripted(verb)` lets Terraform wait in that verb; gives the environment and the folder of its marks."""
    folder, marks = tmp_path / "bin", tmp_path / "marks"
    folder.mkdir()
    marks.mkdir()
    (folder / "terraform").write_text(FAKE.format(python=sys.executable, folder=str(marks)))
    (folder / "terraform").chmod(0o755)
    made = ngp.call("module", "new", "web-site", "--category", "apps", "--summary", "It.", "--no-input")
    assert made.exit_code == 0, made.stderr
    assert ngp.call("render").exit_code == 0
    state = platform / ".ngp" / "state" / "dev" / "base.tfstate"
    state.parent.mkdir(parents=True)
    resource = {"module": "module.base", "mode": "managed", "type": "terraform_data", "name": "this", "instances": []}
    outputs = {"network_id": {"value": "a", "type": "string"}}
    whole = {"version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "a", "outputs": outputs}
    state.write_text(json.dumps({**whole, "resources": [resource]}))

    def prepare(verb):
        (marks / "waits").write_text(verb)
        return {"PATH": f"{folder}:{os.environ['PATH']}"}, marks

    return prepare


@pytest.mark.parametrize(("command", "verb"), VERBS)
def test_the_first_ctrl_c_reaches_terraform(ngp, scripted, command, verb):
    env, marks = scripted(verb)
    process = ngp.start(*STARTS[command].split(), env=env)
    try:
        deadline = time.monotonic() + 60
        while not (marks / "started").exists() or verb not in (marks / "started").read_text().split():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130, stderr
    assert (marks / "told").read_text() == verb
    assert "Traceback" not in stderr


@pytest.mark.parametrize("command", STARTS_NONE)
def test_no_other_command_starts_terraform(ngp, scripted, command):
    env, marks = scripted("")
    ngp.run(*STARTS_NONE[command].split(), env=env)
    assert not (marks / "started").exists()
