"""Patches for moto's IAM: machines may only do what the policies of their role allow; all others may do everything."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.exceptions import AccessDeniedError, JsonRESTError
from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.iam.models import iam_backends
from moto.s3.exceptions import S3AccessDeniedError
from moto.sts.models import sts_backends
from moto.sts.responses import TokenResponse

from ngp_emulator import iam_policies, iam_resources
from ngp_emulator.iam_policies import Document
from ngp_emulator.iam_resources import Request

MOTO = "5.2.5"  # the version that this file patches
_MACHINES = "ec2.amazonaws.com"  # the principal that the role of a machine trusts
_TOKEN = "X-Amz-Security-Token"  # noqa: S105  the name of a header


def enforce_machine_roles() -> None:
    """Refuse requests of a machine that the policies of its role do not allow.

    Boundaries and session policies count too, policies of resources do not. Resources count where `iam_resources`
    knows them. What one service does in another (Systems Manager decrypts with KMS) is not checked.
    """
    mixin: Any = ActionAuthenticatorMixin
    known = mixin._authenticate_and_authorize_action

    def authorize(response: Any, iam_request_cls: type, resource: str = "*") -> None:
        session = _session(response)
        role = _machine_role(response, session) if session else None
        if role is not None and not _may(response, session, role, resource):
            _refuse(response, session)
        known(response, iam_request_cls, resource)

    mixin._authenticate_and_authorize_action = authorize


def enforce_roles_that_machines_assume() -> None:
    """Let a machine assume roles that trust it, and refuse what the policies of such a role do not allow."""
    response_class: Any = TokenResponse
    known = response_class.assume_role

    def assume_role(response: Any) -> Any:
        session = _session(response)
        role = _machine_role(response, session) if session else None
        if role is None:
            return known(response)
        if not _trusts(response, session, role):
            _refuse(response, session)
        made = known(response)
        _session_of(response, made.result["Credentials"].access_key_id).assumed_by_machine = True
        return made

    response_class.assume_role = assume_role


def _trusts(response: Any, session: Any, role: Any) -> bool:
    """Return whether the trust policy of the requested role allows this role to assume it."""
    request = _request(response, "*")
    asked = next((each for each in _iam(response).get_roles() if each.arn == request.params.get("RoleArn")), None)
    if asked is None:
        return False
    names = {"*", request.account, f"arn:aws:iam::{request.account}:root", role.arn, session.arn}
    statements = _document(asked.assume_role_policy_document or "{}").get("Statement", [])
    named = [each for each in statements if names & set(_principals(each.get("Principal")))]
    document = {"Statement": [{**each, "Resource": "*"} for each in named]}
    return iam_policies.is_allowed([document], request.action, "*", _who(request, session, role))


def _principals(said: Any) -> list[str]:
    """Return the accounts, roles and sessions that a statement names, without services."""
    found = said.get("AWS", []) if isinstance(said, dict) else said or []
    return [found] if isinstance(found, str) else list(found)


def _session(response: Any) -> Any:
    """Return the role session of a request, or None."""
    if _TOKEN not in response.headers and _TOKEN not in response.querystring:
        return None
    return _session_of(response, response.get_access_key())


def _session_of(response: Any, access_key: str) -> Any:
    return sts_backends[response.current_account][response.partition].get_assumed_role_from_access_key(access_key)


def _machine_role(response: Any, session: Any) -> Any:
    """Return the role of a session, None unless it exists and EC2 may assume it, or a machine has assumed it."""
    backend = _iam(response)
    role = next((each for each in backend.get_roles() if each.arn == session.role_arn), None)
    if role is None:
        return None
    trusted = json.dumps(_document(role.assume_role_policy_document or "{}"))
    return role if f'"{_MACHINES}"' in trusted or getattr(session, "assumed_by_machine", False) else None


def _may(response: Any, session: Any, role: Any, resource: str) -> bool:
    request = _request(response, resource)
    if request.action == "sts:GetCallerIdentity":
        return True
    layers = list(_layers(response, session, role))
    found = iam_resources.find(request)
    if found is None:
        layers, found = [[_of_any_resource(each) for each in layer] for layer in layers], ("*",)
    return all(
        iam_policies.is_allowed(
            layer, request.action, arn, _who(request, session, role) | iam_resources.context(request, arn)
        )
        for layer in layers
        for arn in found
    )


def _layers(response: Any, session: Any, role: Any) -> Iterator[list[Document]]:
    """Yield the sets of policies, each of which must allow: the role's, its boundary, the session's."""
    backend = _iam(response)
    attached = [_managed(each) for each in role.managed_policies.values()]
    yield [*(_document(each) for each in role.policies.values()), *attached]
    if role.permissions_boundary_arn:
        yield [_managed(backend.get_policy(role.permissions_boundary_arn))]
    if session.policy:
        yield [_document(session.policy)]


def _of_any_resource(document: Document) -> Document:
    """Return a policy for an unknown resource: any Allow counts; a Deny counts only if it covers everything."""
    statements = document.get("Statement", [])
    kept = []
    for each in statements if isinstance(statements, list) else [statements]:
        if each.get("Effect") == "Allow":
            kept.append({name: value for name, value in each.items() if name != "NotResource"} | {"Resource": "*"})
        elif each.get("Resource") in ("*", ["*"]):
            kept.append(each)
    return {**document, "Statement": kept}


def _who(request: Request, session: Any, role: Any) -> dict[str, str | list[str]]:
    """Return the condition keys of the principal. Loopback counts as TLS, as for bucket policies."""
    tags = {f"aws:PrincipalTag/{each['Key']}": str(each["Value"]) for each in role.tags}
    return {
        **tags,
        "aws:PrincipalAccount": request.account,
        "aws:PrincipalArn": str(role.arn),
        "aws:PrincipalType": "AssumedRole",
        "aws:SecureTransport": "true",
        "aws:userid": f"{role.id}:{session.session_name}",
    }


def _request(response: Any, resource: str) -> Request:
    signature = response.headers.get("Authorization", "")
    scope = signature.partition("Credential=")[2].partition(",")[0].split("/")
    service = scope[3] if len(scope) > 4 else response.service_name
    operation = response.data.get("Action") if service == "s3" else response._get_action()
    operation = operation[0] if isinstance(operation, list) else operation
    params = _params(response)
    return Request(service, str(operation), params, response.current_account, response.region, resource)


def _params(response: Any) -> Mapping[str, Any]:
    """Return the parameters of a request, JSON or form; each item of a form's list has its own name."""
    try:
        found = json.loads(response.body)
    except (TypeError, ValueError):
        found = None
    if isinstance(found, dict):
        return found
    return {name: value[0] if isinstance(value, list) else value for name, value in response.querystring.items()}


def _refuse(response: Any, session: Any) -> None:
    """Raise the service's error for a request without permission."""
    request = _request(response, "*")
    said = f"User: {session.arn} is not authorized to perform: {request.action}"
    if request.service == "s3":
        raise S3AccessDeniedError
    if "json" in response.headers.get("Content-Type", ""):
        raise JsonRESTError("AccessDeniedException", said)
    refusal = AccessDeniedError(session.arn, request.action)
    if request.service == "ec2":
        _, _, body = response.serialized(ActionResult(EC2ClientError("UnauthorizedOperation", said)))
        refusal.description = body
    raise refusal


def _iam(response: Any) -> Any:
    return iam_backends[response.current_account][response.partition]


def _managed(policy: Any) -> Document:
    return _document(next(each.document for each in policy.versions if each.is_default))


def _document(said: Any) -> Document:
    """Return a policy, which moto keeps as JSON or as data."""
    found: Document = json.loads(said) if isinstance(said, str) else said
    return found


PATCHES = (enforce_machine_roles, enforce_roles_that_machines_assume)
