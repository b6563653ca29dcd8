"""Patches for moto's API Gateway."""

from __future__ import annotations

import json
from typing import Any

from moto.apigateway.models import RestAPI

MOTO = "5.2.5"  # the version that this file patches


def escape_policies() -> None:
    """Return an API's policy with escaped quotes, as AWS does: Terraform unescapes them."""
    api_class: Any = RestAPI
    show = api_class.to_dict

    def to_dict(api: Any) -> dict[str, Any]:
        shown: dict[str, Any] = show(api)
        return {**shown, "policy": json.dumps(shown["policy"])[1:-1]} if shown.get("policy") else shown

    api_class.to_dict = to_dict


PATCHES = (escape_policies,)
