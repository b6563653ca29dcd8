"""Repair of moto: a machine may do what its role's policies allow, and nothing else; everybody else may do all."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ngp.sandbox import permissions, targets
from ngp.sandbox.permissions import Document
from ngp.sandbox.targets import Request

_MACHINES = "ec2.amazonaws.com"  # whom the role of a machine trusts
_TOKEN = "X-Amz-Security-Token"  # noqa: S105  the name of a header


def apply() -> None:
    """Put every repair into the moto that this process has imported."""
    hold_machines_to_their_roles()


def hold_machines_to_their_roles() -> None:
    """What comes with the session of a role that EC2 may take is refused unless the role's policies allow it.

    Boundary and session policy count too. Resources are looked at where `targets` knows them; what one service does
    in another (Systems Manager decrypts with KMS) is not. Policies of resources are not looked at.
    """
    from moto.core.authorization import ActionAuthenticatorMixin

    mixin: Any = ActionAuthenticatorMixin
    known = mixin._authenticate_and_authorize_action

    def authorize(response: Any, iam_request_cls: type, resource: str = "*") -> None:
        session = _session(response)
        role = _machine_role(response, session) if session else None
        if role is not None and not _may(response, session, role, resource):
            _refuse(response, session)
        known(response, iam_request_cls, resource)

    mixin._authenticate_and_authorize_action = authorize


def _session(response: Any) -> Any:
    """The session of a role that a request comes with, or None."""
    from moto.sts.models import sts_backends

    if _TOKEN not in response.headers and _TOKEN not in response.querystring:
        return None
    backend = sts_backends[response.current_account][response.partition]
    return backend.get_assumed_role_from_access_key(response.get_access_key())


def _machine_role(response: Any, session: Any) -> Any:
    """The role of a session, None unless it is there and EC2 may take it."""
    backend = _iam(response)
    role = next((each for each in backend.get_roles() if each.arn == session.role_arn), None)
    if role is None:
        return None
    trusted = json.dumps(_document(role.assume_role_policy_document or "{}"))
    return role if f'"{_MACHINES}"' in trusted else None


def _may(response: Any, session: Any, role: Any, resource: str) -> bool:
    request = _request(response, resource)
    if request.action == "sts:GetCallerIdentity":
        return True
    layers = list(_layers(response, session, role))
    found = targets.find(request)
    if found is None:
        layers, found = [[_of_any_resource(each) for each in layer] for layer in layers], ("*",)
    return all(
        permissions.is_allowed(layer, request.action, arn, _who(request, session, role) | targets.context(request, arn))
        for layer in layers
        for arn in found
    )


def _layers(response: Any, session: Any, role: Any) -> Iterator[list[Document]]:
    """Sets of policies, each of which must allow: the role's, its boundary, the session's."""
    backend = _iam(response)
    attached = [_managed(each) for each in role.managed_policies.values()]
    yield [*(_document(each) for each in role.policies.values()), *attached]
    if role.permissions_boundary_arn:
        yield [_managed(backend.get_policy(role.permissions_boundary_arn))]
    if session.policy:
        yield [_document(session.policy)]


def _of_any_resource(document: Document) -> Document:
    """The same where nobody knows the resource: what allows some allows it, what denies only some does not deny it."""
    statements = document.get("Statement", [])
    kept = []
    for each in statements if isinstance(statements, list) else [statements]:
        if each.get("Effect") == "Allow":
            kept.append({name: value for name, value in each.items() if name != "NotResource"} | {"Resource": "*"})
        elif each.get("Resource") in ("*", ["*"]):
            kept.append(each)
    return {**document, "Statement": kept}


def _who(request: Request, session: Any, role: Any) -> dict[str, str | list[str]]:
    """The keys of conditions that tell who asks. What comes over loopback counts as TLS, as for policies of buckets."""
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
    """The parameters of a request, whether it is JSON or a form; of a form's lists each item by its own name."""
    try:
        found = json.loads(response.body)
    except (TypeError, ValueError):
        found = None
    if isinstance(found, dict):
        return found
    return {name: value[0] if isinstance(value, list) else value for name, value in response.querystring.items()}


def _refuse(response: Any, session: Any) -> None:
    """Raise what the service answers to whoever has not the right."""
    from moto.core.exceptions import AccessDeniedError, JsonRESTError
    from moto.core.responses import ActionResult
    from moto.ec2.exceptions import EC2ClientError
    from moto.s3.exceptions import S3AccessDeniedError

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
    from moto.iam.models import iam_backends

    return iam_backends[response.current_account][response.partition]


def _managed(policy: Any) -> Document:
    return _document(next(each.document for each in policy.versions if each.is_default))


def _document(said: Any) -> Document:
    """A policy as moto keeps it: its JSON, or what that says."""
    found: Document = json.loads(said) if isinstance(said, str) else said
    return found
