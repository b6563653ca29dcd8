"""The platform's policies in Rego: evaluated apart, and never passed by mistake."""

import subprocess

import pytest

from ngp.environments import platforms, resolving
from ngp.errors import NgpError, UsageError
from ngp.policies import checking, rego
from ngp.policies.verdict import Severity

PLAN = {
    "resource_changes": [{"address": "a.b", "type": "aws_vpc", "unit": "network", "change": {"actions": ["delete"]}}]
}
HEAD = "package platform\n\nimport rego.v1\n\n"
NO_DELETION = HEAD + (
    'deny contains {"id": "no-deletion", "msg": "not on Fridays", "address": one.address, "unit": one.unit} if {\n'
    '  some one in input.resource_changes\n  "delete" in one.change.actions\n}\n'
)


@pytest.fixture
def policies(tmp_path):
    pytest.importorskip("regopy", reason="MISSING: regopy (pip install -e '.[policy]')")

    def write(**texts):
        (tmp_path / "policies").mkdir(exist_ok=True)
        for name, text in texts.items():
            (tmp_path / "policies" / f"{name}.rego").write_text(text)
        return rego.load(tmp_path)

    return write


def test_a_platform_without_policies_has_none(tmp_path):
    assert rego.load(tmp_path) is None


def test_a_policy_denies_with_what_it_knows(policies):
    verdict = rego.evaluate(policies(deletion=NO_DELETION), PLAN)
    found = verdict.violations[0]
    assert (found.rule, found.severity, found.message) == ("no-deletion", Severity.DENY, "not on Fridays")
    assert (found.address, found.unit, found.source) == ("a.b", "network", "policies/deletion.rego")
    assert verdict.rules == ("platform.deny",)
    assert verdict.denials


def test_a_policy_that_finds_nothing_passes(policies):
    assert rego.evaluate(policies(deletion=NO_DELETION), {"resource_changes": []}).violations == ()


def test_a_plain_message_and_a_warning(policies):
    found = policies(a=HEAD + 'warn contains "look" if true\n', b=HEAD + 'deny_b contains "no" if true\n')
    said = {one.message: (one.severity, one.source) for one in rego.evaluate(found, PLAN).violations}
    assert said == {
        "look": (Severity.WARN, "policies/a.rego"),
        "no": (Severity.DENY, "policies/b.rego"),
    }


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (HEAD + "deny contains x if {", "does not compile"),
        (HEAD + "deny contains x if { x := nowhere(1) }", "does not compile or fails"),
        (HEAD + "deny contains x if { x := data.other.helper(input) }", "does not compile or fails"),
        ('package platform\ndeny[msg] { msg := "old" }\n', "is not a set|does not compile"),  # the second is OPA's word
        (HEAD + 'deny := "x" if input.nothing\n', "has no answer"),
        (HEAD + 'deny contains x if { x := to_number("a") }\n', "fails"),
        (HEAD + "allow if true\n", "no policy to evaluate"),
        ("deny := 1\n", "a policy needs a package"),
        ("", "a policy needs a package"),
    ],
)
def test_a_policy_that_cannot_be_evaluated_is_an_error(policies, text, why):
    with pytest.raises(UsageError) as refused:
        rego.evaluate(policies(broken=text), PLAN)
    assert any(one in str(refused.value) for one in why.split("|"))
    assert "broken.rego" in refused.value.findings[0].where or "policies" in refused.value.findings[0].where


def test_a_folder_without_policies_is_an_error(policies):
    with pytest.raises(UsageError, match="no policy to evaluate"):
        policies()


def test_a_policy_may_use_a_library(policies):
    library = 'package lib\n\nimport rego.v1\n\nis_gone(one) if "delete" in one.change.actions\n'
    text = HEAD + "deny contains one.address if {\n  some one in input.resource_changes\n  data.lib.is_gone(one)\n}\n"
    assert [one.message for one in rego.evaluate(policies(lib=library, a=text), PLAN).violations] == ["a.b"]


def test_a_policy_sees_nothing_of_the_environment(policies, monkeypatch):
    monkeypatch.setenv("CANARY", "canary-7f3a9")
    text = HEAD + "deny contains name if some name, _ in opa.runtime().env\n"
    names = {one.message for one in rego.evaluate(policies(spy=text), PLAN).violations}
    assert "LC_ALL" in names
    assert "CANARY" not in names


def test_a_policy_that_never_ends_is_ended(policies, monkeypatch):
    monkeypatch.setattr(rego, "_TIMEOUT_S", 1.0)  # long enough for the evaluator to start
    loops = "".join(f"  some {name} in numbers.range(1, 3000)\n" for name in "abc")
    text = HEAD + "deny contains 1 if {\n" + loops + "  a * b * c == -1\n}\n"
    with pytest.raises(NgpError, match="took longer"):
        rego.evaluate(policies(slow=text), PLAN)


def test_a_link_is_refused(policies, tmp_path):
    found = policies(deletion=NO_DELETION)
    assert found
    (tmp_path / "policies" / "link.rego").symlink_to("/etc/passwd")
    with pytest.raises(UsageError, match="must not be a link"):
        rego.load(tmp_path)


def test_what_evaluates_is_missing(tmp_path, monkeypatch):
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "a.rego").write_text(NO_DELETION)
    monkeypatch.setattr(rego, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NgpError) as refused:
        rego.load(tmp_path)
    assert refused.value.exit_code == 69
    assert "ngp-platform[policy]" in refused.value.findings[0].todo


def test_policies_of_a_commit_hold_and_not_those_of_the_change(platform):
    pytest.importorskip("regopy", reason="MISSING: regopy (pip install -e '.[policy]')")
    resolved = resolving.resolve(platforms.load(platform), "dev")
    (platform / "policies").mkdir()
    (platform / "policies" / "deletion.rego").write_text(NO_DELETION)
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.com"]
    for words in (["add", "."], ["commit", "--quiet", "--message", "A policy"]):
        subprocess.run([*git, *words], cwd=platform, check=True)
    (platform / "policies" / "deletion.rego").write_text("broken")
    found = checking.prepare_at(resolved, "HEAD")
    assert list(found.rules) == ["platform.deny"]
    assert checking.prepare_at(resolved, "HEAD~1") is None
    with pytest.raises(UsageError, match="a policy needs a package"):
        checking.prepare(resolved)
