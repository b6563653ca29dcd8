"""Checks ARNs against the region of a unit: its services refuse keys, certificates and topics of other regions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ngp.catalogue.constraints.accepting import ArgumentValue, Refusal

_REGIONAL = re.compile(r"arn:[a-z-]+:(acm|kms|sns):([a-z0-9-]+):")
_PATHS = frozenset(
    {
        "alarm_actions",
        "certificate_arn",
        "insufficient_data_actions",
        "key_arn",
        "kms_key",
        "kms_key_arn",
        "kms_key_id",
        "kms_master_key_id",
        "ok_actions",
    }
)


def refusals(values: Sequence[ArgumentValue], region: object) -> Iterator[Refusal]:
    """What a service of `region` refuses because it lies in another one; nothing where the region is not known."""
    if not isinstance(region, str):
        return
    for each in values:
        if each.partial or each.path.rpartition(".")[2] not in _PATHS:
            continue
        for arn in each.value if isinstance(each.value, list) else [each.value]:
            found = _REGIONAL.match(arn) if isinstance(arn, str) else None
            if found and found[2] != region:
                yield Refusal(
                    each.path, arn, f"is of {region}, the region of the unit", f"AWS documentation: {found[1]}"
                )
