"""Bundles for `ngp ci apply`: what they state is made here, and no Terraform planned anything."""

import json
from dataclasses import replace

from ngp.environments import platforms, resolving
from ngp.runs import units
from ngp.runs.bundle import archive, facts, making, reviews, statement
from ngp.runs.bundle.archive import Content
from ngp.runs.bundle.reviews import ReviewedUnit
from ngp.runs.bundle.statement import StateFact, UnitFact
from ngp.runs.results import Outcome, UnitResult
from tests import statements

NOTE = json.dumps({"run": "20261130-080000-apply-dev-a1f4", "at": "2026-11-30T08:00:00Z"})
STATED = statements.make("dev", platform="small", target="sandbox")


def write(path, **more):
    """Write a bundle that states this; return its digest."""
    stated = replace(STATED, **more)
    plans = {
        name: ReviewedUnit(UnitResult(name, one.module, 1, Outcome.PLANNED), None) for name, one in stated.units.items()
    }
    content = {making.REVIEW: Content(reviews.dump(plans))}
    path.parent.mkdir(parents=True, exist_ok=True)
    members = {name: one.member(name) for name, one in content.items()}
    archive.write(path, statement.dump(replace(stated, members=members)), content)
    return archive.read(path).digest


def of_files(platform):
    """Return what a bundle of all units of dev states of the files that are here."""
    resolved = resolving.resolve(platforms.load(platform), "dev")
    found = facts.sources(resolved, units.collect(resolved))
    stated = {
        name: UnitFact(name, "", one.root, one.modules, one.values, one.wiring, StateFact("x"))
        for name, one in found.items()
    }
    files = {path: digest for one in found.values() for path, digest in one.files.items()}
    return {"units": stated, "files": files, "account": resolved.environment.account}
