"""Repairs of moto: JSON documents that AWS keeps or checks and moto writes anew or does not know."""

from __future__ import annotations

import json
from typing import Any

_REDRIVE = ("RedrivePolicy", "RedriveAllowPolicy")


def apply() -> None:
    """Put every repair into the moto that this process has imported."""
    keep_queue_policies()
    validate_state_machines()
    escape_policies_of_apis()


def keep_queue_policies() -> None:
    """A queue keeps each of its policies until that one is changed, its redrive policies as Terraform writes them.

    moto adds blanks, drops the queue's policy when another attribute is set, and never returns a redrive allow policy.
    """
    from moto.sqs.models import Queue

    queue_class: Any = Queue
    show, change = queue_class.attributes.fget, queue_class._set_attributes

    def attributes(queue: Any) -> dict[str, Any]:
        shown: dict[str, Any] = show(queue)
        return shown | {name: _compact(shown[name]) for name in _REDRIVE if shown.get(name)}

    def set_attributes(queue: Any, given: dict[str, Any], now: float | None = None) -> None:
        change(queue, given if "Policy" in given else {**given, "Policy": queue.policy}, now)

    queue_class.BASE_ATTRIBUTES = [*queue_class.BASE_ATTRIBUTES, "RedriveAllowPolicy"]
    queue_class.redrive_allow_policy = None
    queue_class.attributes = property(attributes)
    queue_class._set_attributes = set_attributes


def _compact(text: str) -> str:
    return json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))


def validate_state_machines() -> None:
    """A state machine's definition can be checked, as Terraform does before it plans one; its versions can be listed.

    Any JSON object is a valid definition here.
    """
    from moto.core.responses import ActionResult
    from moto.stepfunctions.responses import StepFunctionResponse

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


def escape_policies_of_apis() -> None:
    """API Gateway returns an API's policy as AWS does: with its quotes escaped, which Terraform takes away again."""
    from moto.apigateway.models import RestAPI

    api_class: Any = RestAPI
    show = api_class.to_dict

    def to_dict(api: Any) -> dict[str, Any]:
        shown: dict[str, Any] = show(api)
        return {**shown, "policy": json.dumps(shown["policy"])[1:-1]} if shown.get("policy") else shown

    api_class.to_dict = to_dict
