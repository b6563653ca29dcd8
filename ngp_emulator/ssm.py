"""Patches for moto's Systems Manager (SSM): public parameters, and associations, which moto does not support."""

from __future__ import annotations

import json
import uuid
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow
from moto.ssm.exceptions import SSMException
from moto.ssm.models import Parameter, ParameterDict, SimpleSystemManagerBackend
from moto.ssm.responses import SimpleSystemManagerResponse

from ngp_emulator import published

MOTO = "5.2.5"  # the version that this file patches
_TAGGED = "Association"


def add_public_parameters() -> None:
    """Add the public parameters of `published.PARAMETERS` to every region."""
    store_class: Any = ParameterDict
    parameter_class: Any = Parameter
    check = store_class._check_loading_status

    def check_loading_status(parameters: Any, key: str) -> None:
        check(parameters, key)
        value = published.PARAMETERS.get(str(key or ""))
        if value is not None and not dict.__contains__(parameters, key):
            dict.__setitem__(
                parameters,
                key,
                [
                    parameter_class(
                        account_id=parameters.account_id,
                        name=key,
                        value=value,
                        parameter_type="String",
                        description=None,
                        allowed_pattern=None,
                        keyid=None,
                        last_modified_date=utcnow(),
                        version=1,
                        data_type="aws:ec2:image",
                    )
                ],
            )

    store_class._check_loading_status = check_loading_status


def add_associations() -> None:
    """Add associations of documents with machines; they run nothing."""
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
    """Return the associations of the account and region by ID. They lie in the backend: a reset removes them."""
    kept: dict[str, dict[str, Any]] = response.ssm_backend.__dict__.setdefault("associations", {})
    return kept


def _find(response: Any) -> dict[str, Any]:
    found = _kept(response).get(response._get_param("AssociationId"))
    if found is None:
        raise SSMException("AssociationDoesNotExist", "The specified association does not exist.")
    return found


def _answer(association: dict[str, Any]) -> Any:
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
    del _kept(response)[_find(response)["AssociationId"]]
    return EmptyResult()


PATCHES = (add_public_parameters, add_associations)
