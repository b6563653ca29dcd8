"""Patches for moto's Step Functions."""

from __future__ import annotations

import json
from typing import Any

from moto.core.responses import ActionResult
from moto.stepfunctions.responses import StepFunctionResponse

MOTO = "5.2.5"  # the version that this file patches


def validate_definitions() -> None:
    """Validate state machine definitions, as Terraform asks before a plan, and list versions.

    Any JSON object counts as a valid definition.
    """

    def validate(response: Any) -> Any:
        try:
            is_valid = isinstance(json.loads(json.loads(response.body)["definition"]), dict)
        except ValueError:
            is_valid = False
        problem = {"severity": "ERROR", "code": "INVALID_JSON_DESCRIPTION", "message": "not a JSON object"}
        return ActionResult({"result": "OK" if is_valid else "FAIL", "diagnostics": [] if is_valid else [problem]})

    def list_versions(response: Any) -> Any:
        body = json.loads(response.body)
        machine = response.stepfunction_backend.describe_state_machine(body["stateMachineArn"])
        versions = [{"stateMachineVersionArn": each.arn} for each in machine.versions.values()]
        return ActionResult({"stateMachineVersions": versions})

    response_class: Any = StepFunctionResponse
    response_class.validate_state_machine_definition = validate
    response_class.list_state_machine_versions = list_versions


PATCHES = (validate_definitions,)
