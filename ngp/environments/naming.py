"""Names: what pre_tag and post_tag may be, and the names that are derived from them."""

from __future__ import annotations

import re

LIMITS = {"pre_tag": (3, 12), "post_tag": (3, 6)}
_RESERVED_BUCKETS = ("xn--", "sthree-", "amzn-s3-demo-")


def check(name: str, value: str) -> list[str]:
    """Why `value` cannot be the pre_tag or the post_tag (`name`)."""
    low, high = LIMITS[name]
    reasons = []
    if not low <= len(value) <= high:
        reasons.append(f"{name} must have {low} to {high} characters, not {len(value)}")
    if not re.fullmatch(r"[A-Za-z0-9-]*", value):
        reasons.append(f"{name} may contain letters, digits and dashes only")
    if value.startswith("-") or value.endswith("-"):
        reasons.append(f"{name} must neither begin nor end with a dash")
    if value.lower().startswith("aws"):
        reasons.append(f"{name} must not begin with `aws`")
    return reasons


def check_pair(pre_tag: str, post_tag: str) -> list[str]:
    """Why no names can be derived from a pair whose parts are good by themselves."""
    bucket = bucket_name(pre_tag, post_tag)
    if bucket.startswith(_RESERVED_BUCKETS):
        return [f"no S3 bucket can be named `{bucket}`: AWS reserves names that begin so"]
    return []


def bucket_name(pre_tag: str, post_tag: str) -> str:
    """The stem of bucket names: lower case, without dashes at the ends."""
    return f"{pre_tag}-{post_tag}".lower().strip("-")
