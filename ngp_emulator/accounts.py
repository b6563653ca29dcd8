"""Patches for moto's request handling: the account that a request belongs to."""

from __future__ import annotations

import re
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.core.responses import BaseResponse
from moto.iam import models

MOTO = "5.2.5"  # the version that this file patches
_ACCOUNT_KEY = re.compile(r"\d{12}")


def use_access_key_as_account() -> None:
    """Treat an access key ID of twelve digits as the account ID; any other key belongs to the account that holds it.

    moto looks for it by creating a backend in every partition of every account: with a dozen accounts the first
    request of a session takes half a minute.
    """

    def account_of(access_key: str) -> str:
        if _ACCOUNT_KEY.fullmatch(access_key):
            return access_key
        for account, backends in list(models.iam_backends.items()):
            if any(access_key in backend.access_keys for backend in list(backends.values())):
                return str(account)
        return DEFAULT_ACCOUNT_ID

    models.get_account_id_from = account_of
    BaseResponse.access_key_regex = re.compile(
        r"AWS.*(?P<access_key>(?<![A-Z0-9])(?:[A-Z0-9]{20}|[0-9]{12})(?![A-Z0-9]))[:/]"
    )


def find_account_of_presigned_url() -> None:
    """Take the account of a presigned URL from its credential; moto takes an account of its own."""
    response_class: Any = BaseResponse
    known = response_class.get_access_key

    def get_access_key(response: Any) -> str:
        signed = response.querystring.get("X-Amz-Credential")
        return str(signed[0].split("/")[0] if signed else known(response))

    response_class.get_access_key = get_access_key


PATCHES = (use_access_key_as_account, find_account_of_presigned_url)
