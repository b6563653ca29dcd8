"""Patches for moto's ECR: rules of the pull-through cache, which moto does not support."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ecr.exceptions import LimitExceededException  # moto takes an error's service from its class's module
from moto.ecr.responses import ECRResponse

MOTO = "5.2.5"  # the version that this file patches
_GIVEN = ("credentialArn", "customRoleArn", "upstreamRegistry", "upstreamRegistryUrl", "upstreamRepositoryPrefix")


def add_pull_through_cache_rules() -> None:
    """Add the rules of the pull-through cache; they pull no image."""
    response_class: Any = ECRResponse
    response_class.create_pull_through_cache_rule = _create
    response_class.describe_pull_through_cache_rules = _describe
    response_class.update_pull_through_cache_rule = _update
    response_class.delete_pull_through_cache_rule = _delete


def _kept(response: Any) -> dict[str, dict[str, Any]]:
    """Return the rules of the account and region by prefix. A reset removes them."""
    kept: dict[str, dict[str, Any]] = response.ecr_backend.__dict__.setdefault("pull_through_cache_rules", {})
    return kept


def _find(response: Any, prefix: str) -> dict[str, Any]:
    found = _kept(response).get(prefix)
    if found is None:
        said = f"Pull through cache rule with prefix '{prefix}' does not exist in the registry"
        raise _failure("PullThroughCacheRuleNotFoundException", said)
    return found


def _create(response: Any) -> Any:
    prefix, kept = response._get_param("ecrRepositoryPrefix"), _kept(response)
    if prefix in kept:
        said = f"Pull through cache rule with prefix '{prefix}' already exists in the registry"
        raise _failure("PullThroughCacheRuleAlreadyExistsException", said)
    given = {name: response._get_param(name) for name in _GIVEN if response._get_param(name)}
    own = {"ecrRepositoryPrefix": prefix, "registryId": response.current_account, "createdAt": utcnow()}
    kept[prefix] = {**given, **own, "updatedAt": own["createdAt"]}
    return _answer(kept[prefix])


def _describe(response: Any) -> Any:
    wanted = response._get_param("ecrRepositoryPrefixes") or list(_kept(response))
    return _answer({"pullThroughCacheRules": [_find(response, prefix) for prefix in wanted]})


def _update(response: Any) -> Any:
    rule = _find(response, response._get_param("ecrRepositoryPrefix"))
    for name in ("credentialArn", "customRoleArn"):
        rule[name] = response._get_param(name) or rule.get(name)
    rule["updatedAt"] = utcnow()
    return _answer(rule)


def _delete(response: Any) -> Any:
    rule = _find(response, response._get_param("ecrRepositoryPrefix"))
    del _kept(response)[rule["ecrRepositoryPrefix"]]
    return _answer(rule)


def _answer(result: dict[str, Any]) -> Any:
    return ActionResult({name: value for name, value in result.items() if value is not None})


def _failure(code: str, message: str) -> Exception:
    return LimitExceededException(code, message)


PATCHES = (add_pull_through_cache_rules,)
