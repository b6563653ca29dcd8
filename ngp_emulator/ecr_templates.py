"""Patches for moto's ECR: templates of the repositories that ECR makes itself, which moto does not support."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ecr.exceptions import LimitExceededException  # moto takes an error's service from its class's module
from moto.ecr.responses import ECRResponse

MOTO = "5.2.5"  # the version that this file patches
_GIVEN = (
    "appliedFor",
    "customRoleArn",
    "description",
    "encryptionConfiguration",
    "imageTagMutability",
    "lifecyclePolicy",
    "repositoryPolicy",
    "resourceTags",
)
_DEFAULTS = {"imageTagMutability": "MUTABLE", "encryptionConfiguration": {"encryptionType": "AES256"}}


def add_repository_creation_templates() -> None:
    """Add the templates of repositories that ECR makes for caches and replicas; it makes none here."""
    response_class: Any = ECRResponse
    response_class.create_repository_creation_template = _create
    response_class.describe_repository_creation_templates = _describe
    response_class.update_repository_creation_template = _update
    response_class.delete_repository_creation_template = _delete


def _kept(response: Any) -> dict[str, dict[str, Any]]:
    """Return the templates of the account and region by prefix. A reset removes them."""
    kept: dict[str, dict[str, Any]] = response.ecr_backend.__dict__.setdefault("creation_templates", {})
    return kept


def _find(response: Any, prefix: str) -> dict[str, Any]:
    found = _kept(response).get(prefix)
    if found is None:
        raise _failure("TemplateNotFoundException", prefix, "does not exist in the registry")
    return found


def _create(response: Any) -> Any:
    prefix, kept = response._get_param("prefix"), _kept(response)
    if prefix in kept:
        raise _failure("TemplateAlreadyExistsException", prefix, "already exists in the registry")
    given = _require_role(_given(response))
    now = utcnow()
    kept[prefix] = {**_DEFAULTS, **given, "prefix": prefix, "createdAt": now, "updatedAt": now}
    return _answer(response, repositoryCreationTemplate=kept[prefix])


def _describe(response: Any) -> Any:
    wanted = response._get_param("prefixes") or list(_kept(response))
    return _answer(response, repositoryCreationTemplates=[_find(response, prefix) for prefix in wanted])


def _update(response: Any) -> Any:
    template = _find(response, response._get_param("prefix"))
    template.update(_require_role({**template, **_given(response)}), updatedAt=utcnow())
    return _answer(response, repositoryCreationTemplate=template)


def _delete(response: Any) -> Any:
    template = _find(response, response._get_param("prefix"))
    del _kept(response)[template["prefix"]]
    return _answer(response, repositoryCreationTemplate=template)


def _given(response: Any) -> dict[str, Any]:
    return {name: response._get_param(name) for name in _GIVEN if response._get_param(name)}


def _require_role(given: dict[str, Any]) -> dict[str, Any]:
    """Refuse tags and a key without a role: ECR makes the repository by it."""
    has_key = given.get("encryptionConfiguration", {}).get("encryptionType", "AES256") != "AES256"
    if (has_key or given.get("resourceTags")) and not given.get("customRoleArn"):
        said = "A custom role is needed for resource tags and for encryption by KMS"
        raise LimitExceededException("InvalidParameterException", said)
    return given


def _answer(response: Any, **result: Any) -> Any:
    return ActionResult({"registryId": response.current_account, **result})


def _failure(code: str, prefix: str, what: str) -> Exception:
    return LimitExceededException(code, f"The repository creation template with prefix '{prefix}' {what}")


PATCHES = (add_repository_creation_templates,)
