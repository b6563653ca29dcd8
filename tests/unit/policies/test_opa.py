"""OPA's own program evaluates policies where it is on PATH.

A script stands for it: it answers as `opa eval` of OPA 1.22 did, and notes what it was asked. With a real `opa` on
PATH, all of test_rego.py runs through that.
"""

import json
import sys

import pytest

from ngp.errors import NgpError, UsageError
from ngp.policies import rego
from ngp.policies.verdict import Severity

PLAN = {"resource_changes": [{"address": "a.b"}]}
TEXT = "package platform\n\nimport rego.v1\n\ndeny contains 1 if false\nwarn contains 2 if false\n"
FAKE = """#!{python}
import json, os, pathlib, sys
home = pathlib.Path(__file__).parent
folder = pathlib.Path(sys.argv[sys.argv.index("--data") + 1])
said = {{"argv": sys.argv[1:], "input": json.load(sys.stdin), "environment": dict(os.environ),
        "files": sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())}}
(home / "asked.json").write_text(json.dumps(said))
text, code = json.loads((home / "answer.json").read_text())
print(text.replace("FOLDER", str(folder)))
sys.exit(code)
"""


@pytest.fixture
def opa(tmp_path, monkeypatch):
    """`opa(answer, code)` says what the program prints, and how it ends; returns what a plan then comes to."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "opa").write_text(FAKE.format(python=sys.executable))
    (programs / "opa").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setenv("CANARY", "canary-7f3a9")
    monkeypatch.setattr(rego, "find_spec", lambda _: None)  # it needs no regopy
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "a.rego").write_text(TEXT)
    (tmp_path / "policies" / "a_test.rego").write_text("package platform_test\n")

    def evaluate(answer, code=0):
        text = answer if isinstance(answer, str) else json.dumps(answer)
        (programs / "answer.json").write_text(json.dumps([text, code]))
        return rego.evaluate(rego.load(tmp_path), PLAN)

    evaluate.asked = lambda: json.loads((programs / "asked.json").read_text())
    return evaluate


def answer(**values):
    """What `opa eval` prints of a query that has an answer."""
    value = {f"platform.{rule}": found for rule, found in values.items()}
    return {"result": [{"expressions": [{"value": value, "text": "{…}", "location": {"row": 1, "col": 1}}]}]}


def test_the_answers_of_opa_are_violations(opa):
    said = {"msg": "not on Fridays", "id": "no-deletion", "address": "a.b"}
    denied, warned = opa(answer(deny=[[said]], warn=[["look"]])).violations
    assert (denied.rule, denied.severity, denied.message, denied.address) == (
        "no-deletion",
        Severity.DENY,
        "not on Fridays",
        "a.b",
    )
    assert (warned.severity, warned.message, warned.source) == (Severity.WARN, "look", "policies/a.rego")


def test_opa_gets_the_policies_and_the_plan_and_nothing_of_the_environment(opa):
    opa(answer(deny=[[]], warn=[[]]))
    asked = opa.asked()
    verb, *flags, query = asked["argv"]
    assert (verb, flags[:4]) == ("eval", ["--format", "json", "--stdin-input", "--strict-builtin-errors"])
    assert query == (
        '{"platform.deny": [answer | answer := data.platform.deny], '
        '"platform.warn": [answer | answer := data.platform.warn]}'
    )
    assert asked["input"] == PLAN
    assert asked["files"] == ["policies/a.rego"]
    assert "CANARY" not in asked["environment"]


def test_a_rule_without_an_answer_is_an_error(opa):
    with pytest.raises(UsageError, match=r"the policy `platform\.warn` has no answer"):
        opa(answer(deny=[[]], warn=[]))


def test_what_opa_refuses_is_named_with_its_line(opa):
    place = {"file": "FOLDER/policies/a.rego", "row": 5, "col": 1}
    error = {"message": "var x is unsafe", "code": "rego_unsafe_var_error", "location": place}
    with pytest.raises(UsageError) as refused:
        opa({"errors": [error]}, code=2)
    [found] = refused.value.findings
    assert (found.what, found.where, found.why) == (
        "a policy does not compile or fails",
        "policies/a.rego:5",
        "var x is unsafe",
    )


@pytest.mark.parametrize("said", ["", "no JSON", "[]", "{}", '{"result": [{"expressions": [{"value": 1}]}]}'])
def test_an_answer_that_cannot_be_read_is_never_a_pass(opa, said):
    with pytest.raises(NgpError, match="cannot evaluate"):
        opa(said, code=1)
