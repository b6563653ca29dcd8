"""What runs on a Swarm cluster: saved every hour by the leader's container, and put back by an operator in it.

    python3 swarm.py run                                     save now and at every interval, where this is the leader
    python3 swarm.py save
    python3 swarm.py list
    python3 swarm.py restore [KEY] [--replace] [--dry-run]   the newest snapshot without KEY

The standard library and boto3 only.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from engine import Engine, EngineError
from state import Ids, State, container_of, read, stack_of, with_ids
from store import SnapshotError, Store

_REMOVALS = 20  # attempts, a second apart: a network is free once the tasks of removed services have ended


@dataclass(frozen=True)
class Change:
    """One thing that differs: `action` is create, update, remove, or keep with the `reason`."""

    kind: str
    name: str
    action: str
    reason: str = ""
    outcome: str = ""  # done or failed, once it was tried

    def document(self) -> dict[str, str]:
        return {name: value for name, value in vars(self).items() if value}


def plan(saved: State, live: State, ids: Ids, *, exactly: bool = False) -> list[Change]:
    """What makes the cluster as it was saved, in the order in which it can be done; `exactly` removes what is new.

    What belongs to a stack of the cluster's bucket is the bucket's matter, and stays as it is.
    """
    changes = []
    for kind in ("networks", "configs", "services"):
        here: Mapping[str, Any] = getattr(live, kind)
        for name, spec in getattr(saved, kind).items():
            if name in here and here[name] == spec:
                continue
            stack = stack_of(spec)
            if stack in ids.managed:
                changes.append(Change(kind, name, "keep", f"the cluster's bucket deploys the stack {stack}"))
            elif name not in here:
                changes.append(Change(kind, name, "create"))
            elif kind == "services":
                changes.append(Change(kind, name, "update"))
            else:
                changes.append(Change(kind, name, "keep", "it differs, and cannot be changed while it is there"))
    for kind in ("services", "configs", "networks") if exactly else ():
        here = getattr(live, kind)
        gone = [name for name in here if name not in getattr(saved, kind) and stack_of(here[name]) not in ids.managed]
        changes += [Change(kind, name, "remove") for name in gone]
    return changes


def hindrances(engine: Engine, saved: State, ids: Ids, changes: list[Change]) -> list[Change]:
    """The same changes; services whose image or secrets are not there fail before anything is changed."""
    return [_hindered(engine, saved, ids, each) for each in changes]


def _hindered(engine: Engine, saved: State, ids: Ids, change: Change) -> Change:
    if change.kind != "services" or change.action not in ("create", "update"):
        return change
    container = container_of(saved.services[change.name])
    lacking = [each["SecretName"] for each in container.get("Secrets") or () if each["SecretName"] not in ids.secrets]
    if lacking:
        why = f"no secret {', '.join(lacking)}: make it anew, a snapshot never holds its value"
        return replace(change, outcome="failed", reason=why)
    if not engine.has_image(container["Image"]):
        return replace(change, outcome="failed", reason=f"no image {container['Image']}")
    return change


def apply(engine: Engine, saved: State, changes: list[Change]) -> list[Change]:
    """Make each change that is not kept and has not failed; one that fails keeps nothing else back."""
    return [each if each.action == "keep" or each.outcome else _try(engine, saved, each) for each in changes]


def _try(engine: Engine, saved: State, change: Change) -> Change:
    try:
        _make(engine, saved, change)
    except (EngineError, OSError, http.client.HTTPException) as error:
        return replace(change, outcome="failed", reason=str(error))
    return replace(change, outcome="done")


def _make(engine: Engine, saved: State, change: Change) -> None:
    _, ids = read(engine)  # anew each time: what was made just now has an id, and a change needs the newest version
    match change.kind, change.action:
        case "networks", "create":
            engine.call("POST", "/networks/create", {**saved.networks[change.name], "CheckDuplicate": True})
        case "configs", "create":
            engine.call("POST", "/configs/create", saved.configs[change.name])
        case "services", "create":
            engine.call("POST", "/services/create", with_ids(saved.services[change.name], ids))
        case "services", "update":
            id_, version = ids.services[change.name]
            spec = with_ids(saved.services[change.name], ids)
            engine.call("POST", f"/services/{id_}/update", spec, version=version)
        case "services", "remove":
            engine.call("DELETE", f"/services/{ids.services[change.name][0]}")
        case kind, "remove":
            _remove(engine, f"/{kind}/{getattr(ids, kind)[change.name]}")


def _remove(engine: Engine, path: str) -> None:
    for attempt in range(_REMOVALS):
        try:
            engine.call("DELETE", path)
        except EngineError:
            if attempt == _REMOVALS - 1:
                raise
            time.sleep(1)
        else:
            return


def save(engine: Engine, store: Store) -> dict[str, Any]:
    """Save what runs, and say so in the log: the alarm counts these lines. Returns the manifest."""
    state, _ = read(engine)
    counts = {kind: len(getattr(state, kind)) for kind in ("networks", "configs", "secrets", "services")}
    version = engine.call("GET", "/version")["Version"]
    manifest = store.save(state.content(), {"runtime": "swarm", "version": version, **counts})
    _log("saved", **manifest)
    return manifest


def restore(
    engine: Engine, store: Store, key: str = "", *, exactly: bool = False, dry_run: bool = False
) -> dict[str, Any]:
    """Put a snapshot back: what is gone is made, services that differ are changed. The report lists all of that."""
    manifest, content = store.load(key)
    saved = State.of(content)
    live, ids = read(engine)
    changes = hindrances(engine, saved, ids, plan(saved, live, ids, exactly=exactly))
    if not dry_run:
        changes = apply(engine, saved, changes)
    lacking = sorted(set(saved.secrets) - set(live.secrets))
    shown = [each.document() for each in changes]
    report = {"snapshot": manifest["key"], "dry_run": dry_run, "changes": shown, "missing_secrets": lacking}
    _log("restored", **report)
    return report


def run(engine: Engine, store: Store, interval_s: int) -> None:
    """Save now and at every full interval, while this node leads. A save that fails is told; the next one is near."""
    while True:
        try:
            if engine.is_leader():
                save(engine, store)
        except (EngineError, OSError, http.client.HTTPException, BotoCoreError, ClientError) as error:
            _log("failed", reason=f"{type(error).__name__}: {error}")
        time.sleep(interval_s - time.time() % interval_s)


def _log(event: str, **facts: Any) -> None:
    print(json.dumps({"event": event, **facts}), flush=True)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Snapshots of a Swarm cluster.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb in ("run", "save", "list"):
        verbs.add_parser(verb)
    asked = verbs.add_parser("restore")
    asked.add_argument("key", nargs="?", default="", help="the newest snapshot without")
    asked.add_argument("--replace", action="store_true", help="remove what the snapshot has not")
    asked.add_argument("--dry-run", action="store_true", help="only tell what differs")
    options = parser.parse_args(argv)
    store = Store(boto3.client("s3"), os.environ["BUCKET"], os.environ["PREFIX"])
    engine = Engine(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://"))
    try:
        return _do(options, engine, store)
    except (SnapshotError, EngineError, OSError, http.client.HTTPException, BotoCoreError, ClientError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1


def _do(options: argparse.Namespace, engine: Engine, store: Store) -> int:
    match options.verb:
        case "run":
            # The first process of a container is not ended by a signal that it does not handle.
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
            run(engine, store, int(os.environ["INTERVAL_S"]))
        case "save":
            save(engine, store)
        case "list":
            for key in sorted(store.keys()):
                print(key)
        case "restore":
            report = restore(engine, store, options.key, exactly=options.replace, dry_run=options.dry_run)
            return int(any(each.get("outcome") == "failed" for each in report["changes"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
