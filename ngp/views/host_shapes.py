"""JSON Schemas of the documents of `ngp host`."""

from __future__ import annotations

from ngp.hosts.host import WAYS
from ngp.views.shapes import NUMBER, TEXT, WHOLE, array, mapping, optional, record

_TEXTS = array(TEXT)
_HOST = {
    **dict.fromkeys(("name", "id", "environment", "cluster", "unit", "user", "source", "state", "address"), TEXT),
    **dict.fromkeys(("public_address", "private_address", "public_dns", "private_dns"), TEXT),
    "packages": _TEXTS,
    "port": WHOLE,
    "tags": mapping(TEXT),
}
_OUTCOME = {"exit": optional(WHOLE), "duration_s": NUMBER, "problem": TEXT, "hint": TEXT}
_AT = {"host": TEXT, "id": TEXT}

EVENTS = {
    "host_started": record(**_AT),
    "host_line": record(**_AT, stream=TEXT, text=TEXT),
    "host_finished": record(**_AT, **_OUTCOME),
}
_RAN = record(name=TEXT, id=TEXT, environment=TEXT, **_OUTCOME, stdout=TEXT, stderr=TEXT)
_VIA = {"enum": list(WAYS)}
DRY_RUN = record(  # a host of a dry run
    **dict.fromkeys(("name", "id", "environment", "address", "user"), TEXT),
    port=WHOLE,
    via=_VIA,
    batch=WHOLE,
)
DRY_RUNS = record(  # of `exec` and `copy`
    action={"enum": ["exec", "copy"]}, command=TEXT, sources=_TEXTS, target=TEXT, hosts=array(DRY_RUN)
)
DOCUMENTS = {
    "host.list": record(selector=TEXT, hosts=array(record({"via": _VIA}, **_HOST))),
    "host.name": record(**_HOST),
    "host.exec": record(command=TEXT, exit_code=WHOLE, hosts=array(_RAN)),
    "host.copy": record(exit_code=WHOLE, hosts=array(record(name=TEXT, id=TEXT, **_OUTCOME))),
    "host.trust": record(name=TEXT, id=TEXT, keys=_TEXTS),
}
