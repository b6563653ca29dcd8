"""The platform's own policies: ``policies/*.rego``, whose rules `deny` and `warn` get the planned changes.

No rule, a rule that does not compile and one without an answer are errors, never a pass.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ngp import processes
from ngp.daemons import programs
from ngp.errors import Finding, MissingError, NgpError, UsageError, require
from ngp.policies import evaluator, opa
from ngp.policies.verdict import Severity, Verdict, Violation
from ngp.rendering import exact

FOLDER = "policies"
_TIMEOUT_S = 120.0
_WHY = 300  # characters of what the evaluator says
_PACKAGE = re.compile(r"^\s*package\s+([a-zA-Z_][\w.]*)", re.MULTILINE)
_RULE = re.compile(r"^(?:default\s+)?((?:deny|warn|violation)(?:_\w+)?)\b", re.MULTILINE)
_WARNS = "warn"


@dataclass(frozen=True)
class Policies:
    """The texts by file name, and the evaluated rules as ``package.rule``, each with its first file."""

    texts: Mapping[str, str]
    rules: Mapping[str, str]


def load(platform: Path) -> Policies | None:
    """Return the policies of a platform, None where it has no folder of that name.

    Raises UsageError (64) for a folder without any rule, MissingError (69) where nothing can evaluate them.
    """
    folder = platform / FOLDER
    if not folder.exists():
        return None
    files = sorted(path for path in folder.rglob("*.rego") if not path.name.endswith("_test.rego"))
    require(
        Finding(
            "a policy must not be a link",
            str(path),
            "ngp would read the file that it points to",
            "replace it with a copy",
        )
        for path in (folder, *files)
        if path.is_symlink()
    )
    texts = {path.relative_to(platform).as_posix(): _read(path) for path in files}
    rules: dict[str, str] = {}
    for name, text in texts.items():
        package = _PACKAGE.search(text)
        if package is None:
            raise UsageError("a policy needs a package", where=name, todo="start the file with `package NAME`")
        for rule in _RULE.findall(text):
            rules.setdefault(f"{package[1]}.{rule}", name)
    if not rules:
        why = f"`{FOLDER}/` has no rule `deny`, `warn` or `violation`, so nothing would be checked"
        raise UsageError("no policy to evaluate", where=str(folder), why=why, todo="write one, or delete the folder")
    if opa.find() is None and find_spec("regopy") is None:
        what = "cannot evaluate the policies: `opa` is not on PATH, and the package regopy is not installed"
        raise MissingError(what, where=str(folder), todo="pip install 'ngp-platform[policy]'")
    return Policies(texts, rules)


def evaluate(policies: Policies, plan: Mapping[str, Any]) -> Verdict:
    """Return the policies' answers about a plan. Raises UsageError (64) for a policy that fails."""
    answers = _ask(policies, plan)
    found: list[Violation] = []
    for (rule, file), answer in zip(policies.rules.items(), answers, strict=True):
        if answer is None:
            why = "it is undefined: it is not a set, or its evaluation failed"
            todo = f"write it as `{rule.rpartition('.')[2]} contains message if {{ … }}`"
            raise UsageError(f"the policy `{rule}` has no answer", where=file, why=why, todo=todo)
        found += [_violation(rule, file, one) for one in _set(rule, file, answer)]
    return Verdict(tuple(policies.rules), tuple(found))


def check(policies: Policies) -> None:
    """Raise UsageError (64) for a policy that does not compile, before anything is planned."""
    _ask(policies, {"resource_changes": []})


def _ask(policies: Policies, plan: Mapping[str, Any]) -> Sequence[Any]:
    """Return the answers of all rules: of OPA where its program is on PATH, else of regopy."""
    program = opa.find()
    if program is not None:
        return opa.evaluate(program, policies.texts, policies.rules, plan, _TIMEOUT_S)
    asked = {"modules": policies.texts, "input": plan, "queries": [f"data.{rule}" for rule in policies.rules]}
    request = programs.request(evaluator, folder=Path(__file__).parent, environ={"LC_ALL": "C.UTF-8"})
    done = processes.run(replace(request, timeout_s=_TIMEOUT_S, grace_s=1.0, stdin=exact.dump(asked)))
    if done.timed_out:
        raise NgpError(f"evaluating the policies took longer than {_TIMEOUT_S:.0f} seconds", todo="simplify them")
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        raise NgpError("cannot evaluate the policies", why=done.stderr.strip()[-500:]) from None
    if "error" in answer:
        where, _, why = answer["error"].partition(": ")
        file = policies.rules.get(where.removeprefix("data."), where)
        why = " ".join(done.stderr.removeprefix("Errors:").split())[:_WHY] or why
        raise UsageError("a policy does not compile or fails", where=file, why=why, todo="fix the policy")
    answers: Sequence[Any] = answer["answers"]
    return answers


def _set(rule: str, file: str, answer: Any) -> list[Any]:
    """The members of a rule's set. One in the form of Rego 0 makes an object: nothing of it would be read."""
    if isinstance(answer, list):
        return answer
    todo = f"write `{rule.rpartition('.')[2]} contains message if {{ … }}`"
    raise UsageError(f"the policy `{rule}` is not a set", where=file, why="ngp reads Rego 1", todo=todo)


def _violation(rule: str, file: str, answer: Any) -> Violation:
    """A member is a message, or an object with `msg` and what else it knows."""
    severity = Severity.WARN if rule.rpartition(".")[2].startswith(_WARNS) else Severity.DENY
    if not isinstance(answer, Mapping):
        return Violation(rule, severity, str(answer), source=file)
    names = ("unit", "address", "attribute", "todo")
    known = {name: str(answer[name]) for name in names if name in answer}
    message = answer.get("msg", answer.get("message")) or json.dumps(answer)
    return Violation(str(answer.get("id", rule)), severity, str(message), source=file, **known)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("cannot read this policy", where=str(path), why=str(error)) from error
