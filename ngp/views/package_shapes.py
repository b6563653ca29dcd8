"""JSON Schemas of the documents of `ngp package`."""

from __future__ import annotations

from collections.abc import Mapping

from ngp.views.host_shapes import DRY_RUN
from ngp.views.shapes import FLAG, TEXT, WHOLE, Schema, array, optional, record

_DEPLOYED = record(**dict.fromkeys(("when", "id", "who", "action", "package", "version"), TEXT))


def documents(findings: Schema) -> Mapping[str, Schema]:
    """Return the shapes of the documents of `ngp package`."""
    host = record(host=TEXT, result={"enum": ["done", "failed", "unfinished"]}, step=TEXT, reason=TEXT)
    done = record(
        selector=TEXT,
        id=TEXT,
        packages=array(record(name=TEXT, version=TEXT)),
        exit_code=WHOLE,
        hosts=array(host),
        hook=findings,
        warnings=findings,
        plan=array(DRY_RUN),
    )
    version = record(host=TEXT, package=TEXT, installed=TEXT, deployed=optional(_DEPLOYED), is_foreign=FLAG)
    return {
        "package.deploy": done,
        "package.install": done,
        "package.versions": record(selector=TEXT, exit_code=WHOLE, versions=array(version), unreached=findings),
    }
