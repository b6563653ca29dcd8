"""What AWS Lambda calls: every hour to save, by the API or by hand to restore.

A save is `{"action": "save"}`. A restore is `{"action": "restore"}`, through the API a POST whose body has the same
further keys, all optional: `snapshot` (a key, else the newest), `mode` (merge, replace), `dry_run`, `force`.
"""

from __future__ import annotations

import base64
import json
import os
from typing import Any

import boto3
import marathon
from botocore.exceptions import BotoCoreError, ClientError
from marathon import Marathon, MarathonError
from store import SnapshotError, Store

_OPTIONS = {"snapshot": str, "mode": str, "dry_run": bool, "force": bool}
_MODES = {"merge": marathon.merge, "replace": marathon.replace}


class RequestError(Exception):
    """What was asked cannot be understood."""


def handle(event: dict[str, Any], _context: object = None) -> dict[str, Any]:
    """The entry point: an event of the schedule, of an operator, or of the API."""
    if "requestContext" in event:
        return _answer(event)
    match event.get("action"):
        case "save":
            return save()
        case "restore":
            return restore({name: value for name, value in event.items() if name != "action"})
        case action:
            raise RequestError(f"the action {action!r} is neither save nor restore")


def save() -> dict[str, Any]:
    """Save what runs, and say so in the log: the alarm counts these lines. Returns the manifest."""
    tree = _marathon().groups()
    facts = {"runtime": "marathon", "version": tree.get("version", ""), "apps": sum(1 for _ in marathon.apps(tree))}
    manifest = _store().save(tree, facts)
    _log("saved", **manifest)
    return manifest


def restore(options: dict[str, Any]) -> dict[str, Any]:
    """Put a snapshot back. `status` is that of HTTP: 200, or of what went wrong with any of `changes`."""
    _check(options)
    mode, is_dry = options.get("mode", "merge"), options.get("dry_run", False)
    manifest, tree = _store().load(options.get("snapshot", ""))
    changes = _MODES[mode](_marathon(), tree, force=options.get("force", False), dry_run=is_dry)
    outcomes = {change.get("outcome") for change in changes}
    status = 502 if "failed" in outcomes else 409 if "locked" in outcomes else 200
    report = {"status": status, "snapshot": manifest["key"], "mode": mode, "dry_run": is_dry, "changes": changes}
    _log("restored", **report)
    return report


def _answer(event: dict[str, Any]) -> dict[str, Any]:
    try:
        report = restore(_body(event))
    except RequestError as error:
        report = {"status": 400, "error": str(error)}
    except SnapshotError as error:
        report = {"status": error.status, "error": str(error)}
    except (MarathonError, BotoCoreError, ClientError) as error:
        report = {"status": 502, "error": str(error)}
    headers = {"content-type": "application/json"}
    return {"statusCode": report["status"], "headers": headers, "body": json.dumps(report)}


def _body(event: dict[str, Any]) -> Any:
    text = event.get("body") or "{}"
    try:
        return json.loads(base64.b64decode(text) if event.get("isBase64Encoded") else text)
    except ValueError:
        raise RequestError("the body is not JSON") from None


def _check(options: Any) -> None:
    if not isinstance(options, dict):
        raise RequestError("the body is a JSON object")
    for name, value in options.items():
        if name not in _OPTIONS:
            raise RequestError(f"unknown key {name!r}; there are {', '.join(_OPTIONS)}")
        if not isinstance(value, _OPTIONS[name]):
            raise RequestError(f"{name} must be of type {_OPTIONS[name].__name__}")
    if options.get("mode", "merge") not in _MODES:
        raise RequestError("mode is merge or replace")


def _marathon() -> Marathon:
    secret, authorization = os.environ.get("SECRET_ARN", ""), ""
    if secret:
        # Asked each time: a token that was renewed counts at once.
        authorization = boto3.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"].strip()
    return Marathon(os.environ["MARATHON_URL"], authorization=authorization, ca=os.environ.get("MARATHON_CA", ""))


def _store() -> Store:
    return Store(boto3.client("s3"), os.environ["BUCKET"], os.environ["PREFIX"])


def _log(event: str, **facts: Any) -> None:
    print(json.dumps({"event": event, **facts}), flush=True)
