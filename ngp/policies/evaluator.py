"""The process that evaluates the platform's Rego, without ngp's environment variables and with a time limit.

It reads ``{"modules": {name: text}, "input": …, "queries": [text]}`` on stdin and prints ``{"answers": […]}``, null for
an undefined one, or ``{"error": text}``.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any


def evaluate(asked: dict[str, Any]) -> dict[str, Any]:
    """Return the answers, or why a module does not compile or a query fails."""
    import regopy

    regopy.set_default_log_level("None")
    interpreter = regopy.Interpreter()
    interpreter.strict_built_in_errors = True  # a rule whose function fails would find nothing
    name = ""
    try:
        for name, text in asked["modules"].items():
            interpreter.add_module(name, text)
        interpreter.set_input(asked["input"])
        answers = []
        for name in asked["queries"]:
            answer = str(interpreter.query(name))
            answers.append(None if answer == "undefined" else json.loads(answer)["expressions"][0])
    except Exception as error:  # noqa: BLE001  whatever its library raises: a rule that fails is never a pass
        return {"error": f"{name}: {str(error).strip() or type(error).__name__}"}
    return {"answers": answers}


def main() -> None:
    """Answer one question; output of the library goes to stderr."""
    asked, out = json.load(sys.stdin), os.dup(1)
    os.dup2(2, 1)
    text = json.dumps(evaluate(asked))
    with os.fdopen(out, "w", encoding="utf-8") as stream:
        stream.write(text)


if __name__ == "__main__":
    main()
