"""Evaluates the platform's policies with the program `opa`, if it is on PATH.

Source: https://www.openpolicyagent.org/docs/cli, "opa eval": one query, its input on stdin, its answer as JSON.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ngp import files, processes, settings
from ngp.errors import NgpError, UsageError
from ngp.rendering import exact

_FLAGS = ("--format", "json", "--stdin-input", "--strict-builtin-errors")  # a function that fails finds nothing else
_WHY = 300  # characters of what OPA says


def find() -> Path | None:
    """Return the program, None if it is not on PATH."""
    found = shutil.which("opa", path=settings.read().environ.get("PATH", ""))
    return Path(found).absolute() if found else None


def evaluate(
    program: Path, texts: Mapping[str, str], rules: Collection[str], plan: Mapping[str, Any], timeout_s: float
) -> list[Any]:
    """Return the answer of each rule (``package.rule``) to a plan, None for one that is undefined.

    `texts` are the policies by path. Raises UsageError (64) for one that does not compile or fails.
    """
    asked = ", ".join(f"{json.dumps(rule)}: [answer | answer := data.{rule}]" for rule in rules)
    with TemporaryDirectory() as name:
        folder = Path(name).resolve()
        for path, text in texts.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            files.write(folder / path, text)
        argv = (str(program), "eval", *_FLAGS, "--data", str(folder), f"{{{asked}}}")
        request = processes.ProcessRequest(
            argv, folder, {"LC_ALL": "C.UTF-8"}, timeout_s=timeout_s, grace_s=1.0, stdin=exact.dump(plan)
        )
        done = processes.run(request)
        if done.timed_out:
            raise NgpError(f"evaluating the policies took longer than {timeout_s:.0f} seconds", todo="simplify them")
        answer = _read(program, done)
        if answer.get("errors"):
            raise _refused(answer["errors"][0], folder)
    try:
        value = answer["result"][0]["expressions"][0]["value"]
        return [next(iter(value[rule]), None) for rule in rules]
    except (LookupError, TypeError):
        raise _unread(program, done) from None


def _read(program: Path, done: processes.ProcessResult) -> Mapping[str, Any]:
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        raise _unread(program, done) from None
    if not isinstance(answer, dict):
        raise _unread(program, done)
    return answer


def _unread(program: Path, done: processes.ProcessResult) -> NgpError:
    why = " ".join((done.stderr or done.stdout).split())[-_WHY:] or f"it ended with {done.exit_code}"
    return NgpError("cannot evaluate the policies", where=str(program), why=why)


def _refused(error: Mapping[str, Any], folder: Path) -> UsageError:
    """The first error that OPA names, at the line of the policy."""
    place = error.get("location") or {}
    file = str(place.get("file", "")).removeprefix(f"{folder}/")
    where = f"{file}:{place['row']}" if file and place.get("row") else file
    why = " ".join(str(error.get("message", "")).split())[:_WHY]
    return UsageError("a policy does not compile or fails", where=where, why=why, todo="fix the policy")
