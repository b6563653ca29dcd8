import subprocess

from hypothesis import given
from hypothesis import strategies as st

from ngp.aws import access
from ngp.sandbox import shell
from ngp.sandbox.server import RunningSandbox

RUNNING = RunningSandbox("http://127.0.0.1:4566", 1, 4566, "moto", "2026-11-21T10:00:00+00:00", "id")


def evaluate(environ, lines):
    script = 'eval "$1"; env -0'
    done = subprocess.run(["sh", "-c", script, "sh", str(lines)], env=environ, capture_output=True, check=True)
    return dict(pair.split("=", 1) for pair in done.stdout.decode().split("\0") if pair)


def test_shell_that_takes_the_lines_holds_what_a_sandbox_run_gets_and_no_more():
    environ = {"PATH": "/usr/bin:/bin", "AWS_PROFILE": "production", "AWS_ENDPOINT_URL_S3": "https://x", "AWS_NEW": "1"}
    after = evaluate(environ, shell.lines(environ, RUNNING, "eu-central-1", "123456789012"))
    wanted = access.sandbox(environ, RUNNING.url, "eu-central-1", "123456789012")
    assert {name: value for name, value in after.items() if name.startswith("AWS_") or name in wanted} == wanted


def test_what_a_shell_may_hold_unseen_is_unset_too():
    unset = shell.lines({}, RUNNING, "eu-central-1", "123456789012").unset
    assert {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_WEB_IDENTITY_TOKEN_FILE"} <= set(unset)


def test_taking_the_lines_twice_changes_nothing():
    environ = {"PATH": "/usr/bin:/bin", "AWS_PROFILE": "production"}
    once = evaluate(environ, shell.lines(environ, RUNNING, "eu-central-1", "1"))
    again = shell.lines(once, RUNNING, "eu-central-1", "1")
    assert evaluate(once, again) == once


@given(st.text(alphabet="a1.-'\"$`\\ ;*,", max_size=20))
def test_no_value_breaks_out_of_its_line(hosts):
    lines = shell.lines({"NO_PROXY": hosts}, RUNNING, "eu-central-1", "1")
    after = evaluate({"PATH": "/usr/bin:/bin"}, lines)
    assert after["NO_PROXY"] == lines.exports["NO_PROXY"]
