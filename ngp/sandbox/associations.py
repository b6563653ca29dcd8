"""Repair of moto: Systems Manager's associations of documents with machines, which it has not."""

from __future__ import annotations

import json
import uuid
from typing import Any

_TAGGED = "Association"


def apply() -> None:
    """Put every repair into the moto that this process has imported."""
    keep_associations()


def keep_associations() -> None:
    """Associations of documents with machines can be made, changed, tagged and deleted; nothing is run by them."""
    from moto.ssm.models import SimpleSystemManagerBackend
    from moto.ssm.responses import SimpleSystemManagerResponse

    backend_class: Any = SimpleSystemManagerBackend
    find = backend_class._validate_resource_type_and_id

    def find_tagged(backend: Any, resource_type: str, resource_id: str) -> Any:
        return resource_id if resource_type == _TAGGED else find(backend, resource_type, resource_id)

    backend_class._validate_resource_type_and_id = find_tagged
    response_class: Any = SimpleSystemManagerResponse
    response_class.create_association = _create
    response_class.describe_association = _describe
    response_class.update_association = _update
    response_class.delete_association = _delete


def _kept(response: Any) -> dict[str, dict[str, Any]]:
    """Those of the account and region, by id; a reset of the sandbox takes them with the backend's other things."""
    kept: dict[str, dict[str, Any]] = response.ssm_backend.__dict__.setdefault("associations", {})
    return kept


def _find(response: Any) -> dict[str, Any]:
    from moto.ssm.exceptions import SSMException

    found = _kept(response).get(response._get_param("AssociationId"))
    if found is None:
        raise SSMException("AssociationDoesNotExist", "The specified association does not exist.")
    return found


def _answer(association: dict[str, Any]) -> Any:
    from moto.core.responses import ActionResult

    return ActionResult({"AssociationDescription": association})


def _create(response: Any) -> Any:
    asked = json.loads(response.body)
    tags = {tag["Key"]: tag["Value"] for tag in asked.pop("Tags", ())}
    made = {**asked, "AssociationId": str(uuid.uuid4()), "AssociationVersion": "1", "Overview": {"Status": "Success"}}
    _kept(response)[made["AssociationId"]] = made
    response.ssm_backend.add_tags_to_resource(_TAGGED, made["AssociationId"], tags)
    return _answer(made)


def _describe(response: Any) -> Any:
    return _answer(_find(response))


def _update(response: Any) -> Any:
    found = _find(response)
    found |= {**json.loads(response.body), "AssociationVersion": str(int(found["AssociationVersion"]) + 1)}
    return _answer(found)


def _delete(response: Any) -> Any:
    from moto.core.responses import EmptyResult

    del _kept(response)[_find(response)["AssociationId"]]
    return EmptyResult()
