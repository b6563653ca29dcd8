"""stdout is data, stderr is talk; nobody is asked where nobody is; the surroundings' wishes are honoured."""

import json
import re

import pytest

from tests.integration.terminals import at_terminal

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox]
ESCAPE = "\x1b"
COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-9][0-9;]*m")


ASKING = {
    "apply": (["apply", "dev"], "--auto-approve"),
    "destroy": (["destroy", "dev"], "--auto-approve"),
    "configure": (["configure", "dev"], "--set base.cidr=VALUE"),
    "module new": (["module", "new"], "NAME"),
    "env new": (["env", "new", "qa"], "--region"),
}


@pytest.mark.parametrize(("argv", "flag"), ASKING.values(), ids=ASKING)
@pytest.mark.parametrize("is_terminal", [True, False], ids=["terminal", "no terminal"])
def test_ci_is_never_asked_and_the_missing_answer_names_its_flag(lent, argv, flag, is_terminal):
    lent.render()
    if "configure" in argv:
        lent.edit("environments/dev/terraform.tfvars", 'cidr = "10.0.0.0/16"', "")
    before = lent.tree()
    if is_terminal:
        code, shown = at_terminal(lent.path, *argv, env={"CI": "true"})
    else:
        done = lent.ngp.run(*argv)
        code, shown = done.exit_code, done.stderr
        assert done.stdout == ""
    assert (code, flag in shown) == (64, True), shown
    assert lent.tree() == before


READING = [
    ["graph", "dev"],
    ["plan", "dev"],
    ["validate", "dev", "--no-terraform"],
    ["render", "--check"],
    ["status", "dev"],
    ["output", "dev"],
    ["state", "list", "dev"],
    ["module", "list"],
    ["module", "show", "base"],
    ["env", "list"],
    ["sandbox", "status"],
    ["sandbox", "env"],
    ["doctor", "dev"],
    ["configure", "dev", "--dry-run"],
]


@pytest.mark.parametrize("argv", READING, ids=" ".join)
def test_json_is_one_versioned_document_on_stdout_also_where_the_surroundings_ask_for_it(lent, argv):
    lent.render()
    for words, env in (([*argv, "--json"], {}), (["--debug", *argv, "--json"], {}), (argv, {"NGP_JSON": "1"})):
        done = lent.ngp.call(*words, env=env)
        assert done.exit_code == 0, done.stderr
        assert re.fullmatch(r"ngp\.[a-z.-]+/\d+", done.document["schema"])
        assert '"schema"' not in done.stderr


def test_jsonl_is_one_event_a_line_from_the_start_to_every_units_end(lent):
    lent.render()
    for argv, env in ((["plan", "dev", "--jsonl"], {}), (["--debug", "plan", "dev"], {"NGP_JSONL": "true"})):
        done = lent.ngp.call(*argv, env=env)
        assert done.exit_code == 0, done.stderr
        events = [json.loads(line) for line in done.stdout.splitlines()]
        assert {event["schema"] for event in events} == {"ngp.event/1"}
        names = [event["event"] for event in events]
        assert names == ["run_started", *["unit_entered"] * 2, *["unit_finished"] * 2]  # planned together
        assert [event["result"]["unit"] for event in events if "result" in event] == ["base", "app"]


def test_a_failure_in_jsonl_is_a_line_too(lent):
    done = lent.ngp.run("plan", "dev", "bsae", "--jsonl")
    assert done.exit_code == 64
    assert [json.loads(line)["error"]["code"] for line in done.stdout.splitlines()] == ["usage"]
    assert "did you mean `base`?" in done.stderr


def test_variables_stand_for_flags_and_a_flag_comes_first(lent, tmp_path):
    lent.render()
    run = lent.ngp.run
    assert run("plan", "dev", env={"NGP_DETAILED_EXITCODE": "1"}).exit_code == 2
    assert run("plan", "dev", env={"NGP_DETAILED_EXITCODE": "no"}).exit_code == 0
    assert run("output", "dev", env={"NGP_FORMAT": "json"}).document["schema"] == "ngp.output/1"
    assert run("output", "dev", "--format", "env", env={"NGP_FORMAT": "json"}).stdout == ""
    lent.edit("environments/dev/terraform.tfvars", "10.0", "10.9")
    assert run("render", env={"NGP_CHECK": "true"}).exit_code == 1
    elsewhere = type(lent.ngp)(tmp_path)
    assert elsewhere.run("env", "list", "--json").exit_code == 64
    assert elsewhere.run("env", "list", "--json", env={"NGP_CHDIR": str(lent.path)}).exit_code == 0


def test_consent_and_disclosure_have_no_variable(lent):
    lent.render()
    assert lent.ngp.run("apply", "dev", "base", env={"NGP_AUTO_APPROVE": "1"}).exit_code == 64
    assert lent.ngp.run("apply", "dev", "base", "--auto-approve").exit_code == 0
    assert "hunter2" not in lent.ngp.run("output", "dev", "--json", env={"NGP_REVEAL": "1"}).stdout
    assert "hunter2" in lent.ngp.run("output", "dev", "--json", "--reveal").stdout


def test_colours_and_moving_lines_follow_the_surroundings(lent):
    lent.render()
    looks = {"TERM": "xterm-256color", "COLUMNS": "100", "CI": ""}
    _, lively = at_terminal(lent.path, "plan", "dev", env=looks)
    assert COLOUR.search(lively)
    _, plain = at_terminal(lent.path, "plan", "dev", env={**looks, "NO_COLOR": "1"})
    assert not COLOUR.search(plain)
    _, dumb = at_terminal(lent.path, "plan", "dev", env={**looks, "TERM": "dumb"})
    assert ESCAPE not in dumb
    assert "base" in dumb
    piped = lent.ngp.run("plan", "dev")
    assert ESCAPE not in piped.stdout + piped.stderr
    forced = lent.ngp.run("plan", "dev", env={"FORCE_COLOR": "1"})
    assert COLOUR.search(forced.stdout + forced.stderr)
