"""Patches for moto's Route 53."""

from __future__ import annotations

import threading
from typing import Any

from moto.route53.models import FakeZone, Route53Backend

MOTO = "5.2.5"  # the version that this file patches


def forget_deleted_records() -> None:
    """Let a deleted DNS record be created again, and lose none of several concurrent changes.

    moto considers a deleted record to exist if it existed once and a record that sorts after it exists.
    """
    zone_class: Any = FakeZone
    backend_class: Any = Route53Backend
    delete, change = zone_class.delete_rrset, backend_class.change_resource_record_sets
    lock = threading.Lock()

    def delete_rrset(zone: Any, record: dict[str, Any]) -> None:
        delete(zone, record)
        gone = (record["Name"].strip("."), record["Type"])
        zone.rr_changes[:] = [each for each in zone.rr_changes if _record(each) != gone]

    def change_resource_record_sets(*arguments: Any, **named: Any) -> None:
        with lock:
            change(*arguments, **named)

    zone_class.delete_rrset = delete_rrset
    backend_class.change_resource_record_sets = change_resource_record_sets


def _record(change: dict[str, Any]) -> tuple[str, str]:
    record = change["ResourceRecordSet"]
    return record["Name"].strip("."), record["Type"]


PATCHES = (forget_deleted_records,)
