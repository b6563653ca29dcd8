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

from ngp.cli import loading, table

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
# Of every command: a line that starts Terraform, or one that does not
STARTS = {
    "module check": "module check web-site",
    "validate": "validate dev",
    "plan": "plan dev",
    "apply": "apply dev --auto-approve",
    "destroy": "destroy dev --auto-approve",
    "lock": "lock",
}
STARTS_NONE = {
    "help": "help plan",
    "version": "version",
    "init": "init ../other",
    "module list": "module list",
    "module show": "module show app",
    "module new": "module new other --category apps --summary It. --no-input",
    "module add": "module add ../nowhere",
    "module docs": "module docs",
    "env new": "env new other --no-input",
    "env list": "env list",
    "env affected": "env affected dev",
    "configure": "configure dev --no-input",
    "render": "render",
    "graph": "graph dev",
    "output": "output dev",
    "locks": "locks dev",
    "unlock": "unlock dev base --auto-approve",
    "status": "status dev",
    "ready": "ready dev",
    "doctor": "doctor",
    "state bootstrap": "state bootstrap dev",
    "state list": "state list dev",
    "state show": "state show dev base",
    "pool start": "pool status --json",  # what it starts are providers: tests/integration/pool
    "pool stop": "pool stop",
    "pool status": "pool status",
    "sandbox start": "sandbox status",  # a process of its own: tests/integration/sandbox
    "sandbox stop": "sandbox stop",
    "sandbox reset": "sandbox status",
    "sandbox status": "sandbox status",
    "sandbox env": "sandbox env",
}
VERBS = [
    *((command, "init") for command in STARTS if command != "lock"),
    *(("module check", verb) for verb in ("fmt", "console", "validate", "test")),
    ("validate", "validate"),
    ("plan", "plan"),
    ("destroy", "plan"),
    ("lock", "providers"),
]


def _commands():
    for name in table.entries():
        command = loading.load(name)
        yield from ([f"{name} {verb}" for verb in command.commands] if hasattr(command, "commands") else [name])


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


def test_the_tables_name_every_command():
    assert sorted([*STARTS, *STARTS_NONE]) == sorted(_commands())


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
