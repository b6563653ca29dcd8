"""A joint run of the units `a` and `b`, which uses outputs of `c`, with states in a bucket in memory."""

import threading
from pathlib import Path
from types import SimpleNamespace

from ngp.runs.joint import choosing, composition, edges, states
from ngp.runs.joint.composition import Joint
from ngp.runs.joint.partition import Partition
from ngp.runs.results import Verb
from ngp.runs.units import Unit
from ngp.state.locations import StateLocation
from ngp.terraform import driver
from ngp.workspace import Workspace
from tests.doubles.buckets import Bucket
from tests.unit.runs.joint.killed_runs import KEYS, RUN, resource, state


def bucket():
    """The bucket with a state of `a`; `b` has none yet."""
    found = Bucket()
    found.objects[KEYS["a"]] = state("line-a", 5, resource("a", "old"))
    return found


def context(path, bucket, monkeypatch):
    """The context of a run that has not begun. `apart` are units to plan separately, `notes` what it emits."""
    monkeypatch.setattr(choosing, "apart", lambda one: one.apart)
    monkeypatch.setattr(choosing, "has_own_versions", lambda _: False)
    monkeypatch.setattr(edges, "load", lambda _: {})
    workspace, notes = Workspace(path / ".ngp"), []
    folder = workspace.runs / RUN
    folder.mkdir(parents=True)

    def unit(name):
        place = StateLocation("s3", "bucket", f"environments/dev/{name}.tfstate", "eu")
        return Unit(name, name, path / "units" / name, place, {name: Path("m")})

    return SimpleNamespace(
        run_id=RUN,
        folder=folder,
        name="dev",
        request=SimpleNamespace(verb=Verb.APPLY, options=SimpleNamespace(lock_timeout="", parallelism=2)),
        resolved=SimpleNamespace(
            platform=SimpleNamespace(path=path, workspace=workspace),
            environment=SimpleNamespace(account="123456789012"),
        ),
        units={name: unit(name) for name in "abc"},
        needs={"a": frozenset(), "b": frozenset()},
        access=SimpleNamespace(session=bucket),
        terraform=SimpleNamespace(binary=SimpleNamespace(version="1.14.0")),
        stop=threading.Event(),
        notes=notes,
        emit=lambda event: notes.append(getattr(event, "text", event)),
        log=lambda name: folder / f"{name}.log",
        log_name=lambda name: f"{name}.log",
        apart={},
    )


def joint(context):
    """`a` and `b`, planned over what is in the bucket."""
    bucket, units = context.access.session, {name: context.units[name] for name in "ab"}
    stored = composition.fetch(context, units)
    documents = {name: states.load(one.text, where=name) for name, one in stored.items() if one.text}
    bucket.objects["environments/dev/c.tfstate"] = state("line-c", 2)
    outside = {"c": bucket.etag("environments/dev/c.tfstate")}
    text = composition.join(context, documents, "ours", context.needs)
    tree = SimpleNamespace(path=lambda path: context.folder / "tree" / path, folder=context.folder / "tree")
    root = driver.Root(context.folder / "tree/root", Path("data"))
    return Joint(units, stored, documents, outside, "ours", root, tree, text, Partition.of(units), context.needs)
