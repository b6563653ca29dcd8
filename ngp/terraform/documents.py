"""Parses Terraform's JSON without losing a digit."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

_MOST_DIGITS = 4000  # Python refuses to read an int of more than 4300; Terraform writes 1e100000 as 100,001 digits


def parse(text: str) -> Any:
    """Return the value of a JSON text; fractions and very long integers are Decimals.

    Raises ValueError for what is not JSON, or nested deeper than Python can follow.
    """
    try:
        return json.loads(text, parse_float=Decimal, parse_int=_whole)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _whole(digits: str) -> int | Decimal:
    return int(digits) if len(digits) < _MOST_DIGITS else Decimal(digits)
