"""Sizes of policies that AWS accepts: one by one, and all inline policies of a role, user or group together."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

RAISED = "only an account with a raised quota accepts it"
_TRUST = 2048  # of an account whose quota nobody raised


@dataclass(frozen=True)
class _Limit:
    most: int
    size: Callable[[str], int]
    says: str
    source: str


@dataclass(frozen=True)
class InlinePolicy:
    """A policy of a type, the role, user or group that has it, and where it stands."""

    type: str
    holder: str
    text: str
    where: Any


def compact(text: str) -> str:
    """Return a JSON document as the provider sends it, without white space between its parts."""
    try:
        return json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def _letters(text: str) -> int:
    """IAM counts no white space."""
    return len(re.sub(r"\s", "", text))


def _bytes(text: str) -> int:
    return len(compact(text).encode(errors="surrogatepass"))  # Go writes three bytes for half a pair, too


def _iam(most: int, more: str = "") -> _Limit:
    return _Limit(most, _letters, f"has at most {most} characters without spaces{more}", "IAM quotas")


def _document(most: int, source: str) -> _Limit:
    return _Limit(most, _bytes, f"has at most {most} bytes", source)


_QUEUE, _BUCKET, _KEY = (
    _document(8192, "SQS quotas"),
    _document(20480, "S3 bucket policies"),
    _document(32768, "KMS quotas"),
)
_MANAGED = _iam(6144)
_LIMITS: Mapping[tuple[str, str], _Limit] = {
    ("aws_iam_policy", "policy"): _MANAGED,
    ("aws_iam_role", "assume_role_policy"): _iam(8192, f" ({_TRUST} unless the account's quota was raised)"),
    ("aws_iam_role", "inline_policy.policy"): _iam(10240),
    ("aws_kms_external_key", "policy"): _KEY,
    ("aws_kms_key", "policy"): _KEY,
    ("aws_kms_key_policy", "policy"): _KEY,
    ("aws_kms_replica_key", "policy"): _KEY,
    ("aws_s3_bucket", "policy"): _BUCKET,
    ("aws_s3_bucket_policy", "policy"): _BUCKET,
    ("aws_sqs_queue", "policy"): _QUEUE,
    ("aws_sqs_queue_policy", "policy"): _QUEUE,
    ("aws_vpc_endpoint", "policy"): _document(20480, "VPC quotas"),
    ("aws_vpc_endpoint_policy", "policy"): _document(20480, "VPC quotas"),
}
# resource type → the argument with the holder, and the limit of all of one holder together
_INLINE: Mapping[str, tuple[str, _Limit]] = {
    f"aws_iam_{holder}_policy": (holder, _iam(most, f", with all other inline policies of its {holder}"))
    for holder, most in (("group", 5120), ("role", 10240), ("user", 2048))
}
_ROLE = "aws_iam_role"  # with blocks of policies; a refreshed state has those of other resources in them, too


def broken(type_: str, path: str, value: Any) -> Iterator[tuple[str, str, str]]:
    """Yield the limit that a policy is above: rule, source, and the effect where AWS may accept it ("": it refuses)."""
    limit = _INLINE[type_][1] if type_ in _INLINE and path == "policy" else _LIMITS.get((type_, path))
    if limit is None or not isinstance(value, str):
        return
    size = limit.size(value)
    if size > limit.most:
        yield f"{limit.says}; it has {size}", _source(limit), ""
    elif path == "assume_role_policy" and size > _TRUST:
        rule = f"has at most {_TRUST} characters without spaces in an account whose quota was not raised; it has {size}"
        yield rule, _source(limit), RAISED


def inline(type_: str, known: Mapping[str, Any], where: Any, holder: str = "") -> Iterator[InlinePolicy]:
    """Yield the inline policy of a resource with these arguments; `holder` stands for one whose name is not known."""
    if type_ not in _INLINE:
        return
    holder, text = str(known.get(holder_of(type_)) or holder), known.get("policy")
    if holder and isinstance(text, str):
        yield InlinePolicy(type_, holder, text, where)


def blocks(type_: str, texts: Iterable[Any], where: Any, address: str) -> Iterator[InlinePolicy]:
    """Yield the policies in the blocks of a role at an address."""
    if type_ == _ROLE:
        yield from (InlinePolicy(type_, address, text, where) for text in texts if isinstance(text, str))


def has_inline(type_: str) -> bool:
    """Whether a resource of a type is an inline policy, or can have some."""
    return type_ in _INLINE or type_ == _ROLE


def holder_of(type_: str) -> str:
    """Return the argument of a type that names the holder of an inline policy, "" for other types."""
    return _INLINE[type_][0] if type_ in _INLINE else ""


def sums(policies: Iterable[InlinePolicy]) -> Iterator[tuple[InlinePolicy, str, str]]:
    """Yield the last policy of each holder whose policies are too large together: policy, rule, source."""
    held = defaultdict(list)
    for each in policies:
        held[each.type, each.holder].append(each)
    for (type_, _), found in held.items():
        limit = _INLINE[f"{_ROLE}_policy" if type_ == _ROLE else type_][1]
        sizes = [limit.size(each.text) for each in found]
        if sum(sizes) > limit.most >= max(sizes):
            yield found[-1], f"{limit.says}; these {len(found)} have {sum(sizes)}", _source(limit)


def _source(limit: _Limit) -> str:
    return f"AWS documentation: {limit.source}"
