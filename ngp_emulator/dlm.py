"""Adds the Data Lifecycle Manager (DLM), which makes snapshots of volumes and which moto does not support."""

from __future__ import annotations

import json
import re
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from moto.core.utils import utcnow
from moto.iam import models
from moto.moto_server.werkzeug_app import DomainDispatcherApplication

from ngp_emulator.turns import RESET_PATH

MOTO = "5.2.5"  # the version that this file patches
_SCOPE = re.compile(r"Credential=(?P<key>[^/]+)/\d+/(?P<region>[^/]+)/dlm/aws4_request")
_CHANGEABLE = ("Description", "ExecutionRoleArn", "State", "PolicyDetails")
# Fields that a default policy has in the request itself, and returns in its details.
_DEFAULT_DETAILS = (
    "CopyTags",
    "CreateInterval",
    "CrossRegionCopyTargets",
    "Exclusions",
    "ExtendDeletion",
    "RetainInterval",
)
_Policies = dict[str, dict[str, Any]]  # by id
_kept: dict[tuple[str, str], _Policies] = {}  # by account and region
_lock = threading.Lock()


class _RefusedError(Exception):
    """`args` are the status, the error code of DLM and its message."""


@dataclass(frozen=True)
class _Request:
    method: str
    path: str
    query: Mapping[str, list[str]]
    body: Mapping[str, Any]
    account: str
    region: str


def add_lifecycle_policies() -> None:
    """Add the policies of the Data Lifecycle Manager; they make no snapshots."""
    dispatcher_class: Any = DomainDispatcherApplication
    find = dispatcher_class.get_application

    def get_application(dispatcher: Any, environ: dict[str, Any]) -> Any:
        if environ.get("PATH_INFO") == RESET_PATH:
            _kept.clear()
        return _serve if _SCOPE.search(environ.get("HTTP_AUTHORIZATION", "")) else find(dispatcher, environ)

    dispatcher_class.get_application = get_application


def _serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """A WSGI application."""
    status, headers = HTTPStatus.OK, [("Content-Type", "application/json")]
    try:
        with _lock:
            answer = _answer(_read(environ))
    except _RefusedError as refused:
        status, code, message = refused.args
        headers.append(("x-amzn-ErrorType", code))
        answer = {"Code": code, "Message": message}
    body = json.dumps(answer).encode()
    start_response(f"{status.value} {status.phrase}", [*headers, ("Content-Length", str(len(body)))])
    return [body]


def _read(environ: dict[str, Any]) -> _Request:
    scope = _SCOPE.search(environ["HTTP_AUTHORIZATION"])
    assert scope is not None
    raw = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    try:
        body = json.loads(raw or b"{}")
    except ValueError:
        raise _invalid("the body is not JSON") from None
    query = parse_qs(environ.get("QUERY_STRING", ""))
    account = models.get_account_id_from(scope["key"])
    return _Request(environ["REQUEST_METHOD"], environ["PATH_INFO"], query, body, account, scope["region"])


def _answer(asked: _Request) -> dict[str, Any]:
    policies = _kept.setdefault((asked.account, asked.region), {})
    _, kind, which = [*asked.path.split("/", 2), ""][:3]
    if kind == "tags":
        return _tags(asked, _find(policies, which.rpartition("policy/")[2]))
    match kind, bool(which), asked.method:
        case "policies", False, "POST":
            return _create(asked, policies)
        case "policies", False, "GET":
            return {"Policies": [_summary(each) for each in policies.values() if _is_wanted(each, asked.query)]}
        case "policies", True, "GET":
            return {"Policy": _find(policies, which)}
        case "policies", True, "PATCH":
            _change(_find(policies, which), asked.body)
        case "policies", True, "DELETE":
            del policies[_find(policies, which)["PolicyId"]]
        case _:
            raise _RefusedError(HTTPStatus.NOT_FOUND, "UnknownOperationException", f"{asked.method} {asked.path}")
    return {}


def _create(asked: _Request, policies: _Policies) -> dict[str, Any]:
    of_all = asked.body.get("DefaultPolicy")  # the type of resource that a default policy is for
    required = ("ExecutionRoleArn", "Description", "State", "DefaultPolicy" if of_all else "PolicyDetails")
    missing = [each for each in required if not asked.body.get(each)]
    if missing:
        raise _invalid(f"The following parameters are required: {', '.join(missing)}")
    name, now = f"policy-{secrets.token_hex(9)[:17]}", _now()
    policies[name] = {
        "PolicyId": name,
        "PolicyArn": f"arn:aws:dlm:{asked.region}:{asked.account}:policy/{name}",
        "DateCreated": now,
        "DateModified": now,
        "Tags": dict(asked.body.get("Tags") or {}),
        "DefaultPolicy": bool(of_all),
        "PolicyDetails": {"ResourceType": of_all} if of_all else {},
    }
    _change(policies[name], asked.body)
    return {"PolicyId": name}


def _change(policy: dict[str, Any], body: Mapping[str, Any]) -> None:
    given = {name: body[name] for name in _CHANGEABLE if body.get(name) is not None}
    policy |= {**given, "DateModified": _now()}
    if policy["DefaultPolicy"]:
        own = {name: body[name] for name in _DEFAULT_DETAILS if body.get(name) is not None}
        policy["PolicyDetails"] = {"PolicyLanguage": "SIMPLIFIED", **policy["PolicyDetails"], **own}
    else:
        policy["PolicyDetails"] = _with_defaults(policy["PolicyDetails"])


def _with_defaults(details: Mapping[str, Any]) -> dict[str, Any]:
    """Return the details of a custom policy with the defaults that DLM fills in."""
    full = {"PolicyType": "EBS_SNAPSHOT_MANAGEMENT", "PolicyLanguage": "STANDARD", **details}
    if full["PolicyType"] == "EVENT_BASED_POLICY":
        return full
    schedules = [
        {**each, "CreateRule": {"Location": "CLOUD", **each["CreateRule"]}} if each.get("CreateRule") else each
        for each in details.get("Schedules") or ()
    ]
    return {"ResourceLocations": ["CLOUD"], **full, "Schedules": schedules}


def _tags(asked: _Request, policy: dict[str, Any]) -> dict[str, Any]:
    if asked.method == "GET":
        return {"Tags": policy["Tags"]}
    if asked.method == "POST":
        policy["Tags"] |= asked.body.get("Tags") or {}
    for name in asked.query.get("tagKeys", ()):
        policy["Tags"].pop(name, None)
    return {}


def _is_wanted(policy: Mapping[str, Any], query: Mapping[str, list[str]]) -> bool:
    types = {*policy["PolicyDetails"].get("ResourceTypes", ()), policy["PolicyDetails"].get("ResourceType")}
    return (
        policy["PolicyId"] in query.get("policyIds", [policy["PolicyId"]])
        and policy["State"] in query.get("state", [policy["State"]])
        and not ("resourceTypes" in query and types.isdisjoint(query["resourceTypes"]))
    )


def _summary(policy: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: policy[name] for name in ("PolicyId", "Description", "State", "Tags", "DefaultPolicy")}
    return shown | {"PolicyType": policy["PolicyDetails"].get("PolicyType", "EBS_SNAPSHOT_MANAGEMENT")}


def _find(policies: _Policies, name: str) -> dict[str, Any]:
    if name not in policies:
        said = f"Unable to find the policy {name}"
        raise _RefusedError(HTTPStatus.NOT_FOUND, "ResourceNotFoundException", said)
    return policies[name]


def _invalid(message: str) -> _RefusedError:
    return _RefusedError(HTTPStatus.BAD_REQUEST, "InvalidRequestException", message)


def _now() -> str:
    return f"{utcnow().isoformat(timespec='milliseconds')}Z"


PATCHES = (add_lifecycle_policies,)
