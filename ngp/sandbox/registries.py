"""Repairs of moto's container registries (ECR): rules of the pull-through cache, which it does not support."""

from __future__ import annotations

from typing import Any

_GIVEN = ("credentialArn", "customRoleArn", "upstreamRegistry", "upstreamRegistryUrl", "upstreamRepositoryPrefix")


def apply() -> None:
    """Put every repair into the moto that this process has imported."""
    keep_pull_through_cache_rules()


def keep_pull_through_cache_rules() -> None:
    """Rules of a registry's pull-through cache can be made, described, changed and deleted; no image comes by them."""
    from moto.ecr.responses import ECRResponse

    response_class: Any = ECRResponse
    response_class.create_pull_through_cache_rule = _create
    response_class.describe_pull_through_cache_rules = _describe
    response_class.update_pull_through_cache_rule = _update
    response_class.delete_pull_through_cache_rule = _delete


def _kept(response: Any) -> dict[str, dict[str, Any]]:
    """Rules of the account and region by their prefix; a reset of the sandbox removes them."""
    kept: dict[str, dict[str, Any]] = response.ecr_backend.__dict__.setdefault("pull_through_cache_rules", {})
    return kept


def _find(response: Any, prefix: str) -> dict[str, Any]:
    found = _kept(response).get(prefix)
    if found is None:
        said = f"Pull through cache rule with prefix '{prefix}' does not exist in the registry"
        raise _failure("PullThroughCacheRuleNotFoundException", said)
    return found


def _create(response: Any) -> Any:
    from moto.core.utils import utcnow

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
    from moto.core.utils import utcnow

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
    from moto.core.responses import ActionResult

    return ActionResult({name: value for name, value in result.items() if value is not None})


def _failure(code: str, message: str) -> Exception:
    from moto.ecr.exceptions import LimitExceededException  # moto finds an error's service by its class's module

    return LimitExceededException(code, message)
