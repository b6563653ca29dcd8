"""What runs on a Marathon: read as one tree of groups, and put back, application by application or as a whole."""

from __future__ import annotations

import http.client
import json
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

# What Marathon adds by itself. A group that is sent with a `version` is rolled back to that and to nothing else.
_OWNED = {
    "deployments",
    "lastTaskFailure",
    "readinessCheckResults",
    "taskStats",
    "tasks",
    "tasksHealthy",
    "tasksRunning",
    "tasksStaged",
    "tasksUnhealthy",
    "version",
    "versionInfo",
}
# Told for old clients beside what replaced them; Marathon refuses both at once.
_DEPRECATED = {"ports": "portDefinitions", "uris": "fetch"}
_LOCKED = 409
_PAUSES_S = (0, 3, 6)  # before the attempts at what a deployment locks: an API answers within 30 seconds


class MarathonError(Exception):
    """Marathon did not answer, or not as it should."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A token is for the host that it was given for."""

    def redirect_request(self, *_arguments: Any) -> None:
        return None


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any

    @property
    def is_ok(self) -> bool:
        return self.status in (200, 201)

    @property
    def reason(self) -> str:
        said = self.body if isinstance(self.body, dict) else {}
        details = json.dumps(said["details"]) if said.get("details") else ""
        return f"{self.status} {said.get('message', '')} {details}".strip()

    @property
    def deployments(self) -> list[str]:
        """Those that a change has started, or that keep it from starting."""
        said = self.body if isinstance(self.body, dict) else {}
        started = [said["deploymentId"]] if "deploymentId" in said else []
        return started + [each["id"] for each in said.get("deployments", ())]


class Marathon:
    """A client of the API below `url`; `authorization` is the value of the header of that name, "" for none."""

    def __init__(self, url: str, *, authorization: str = "", ca: str = "", timeout_s: float = 20) -> None:
        self._url, self._timeout_s = url.rstrip("/"), timeout_s
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if authorization:
            self._headers["Authorization"] = authorization
        context = ssl.create_default_context(cadata=ca or None)
        self._opener = urllib.request.build_opener(_NoRedirect, urllib.request.HTTPSHandler(context=context))

    def groups(self) -> dict[str, Any]:
        """The tree of all groups with their applications and pods."""
        answer = self._call("GET", "/v2/groups", embed=["group.groups", "group.apps", "group.pods"])
        if not answer.is_ok or not isinstance(answer.body, dict):
            raise MarathonError(f"Marathon does not tell its groups: {answer.reason}")
        return answer.body

    def put_app(self, app: Mapping[str, Any], *, force: bool) -> Answer:
        """Make an application exactly as it is given: what the definition lacks is not kept from the one there."""
        path = "/v2/apps/" + urllib.parse.quote(app["id"].lstrip("/"))
        return self._call("PUT", path, app, partialUpdate="false", force=_word(force))

    def put_groups(self, tree: Mapping[str, Any], *, force: bool = False, dry_run: bool = False) -> Answer:
        return self._call("PUT", "/v2/groups", tree, force=_word(force), dryRun=_word(dry_run))

    def _call(self, method: str, path: str, body: Any = None, **query: str | list[str]) -> Answer:
        url = f"{self._url}{path}?{urllib.parse.urlencode(query, doseq=True)}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, self._headers, method=method)  # noqa: S310  the module checks the URL
        try:
            with self._opener.open(request, timeout=self._timeout_s) as response:
                return Answer(response.status, _parse(response.read()))
        except urllib.error.HTTPError as error:
            return Answer(error.code, _parse(error.read()))
        except (OSError, http.client.HTTPException) as error:
            raise MarathonError(f"Marathon does not answer at {self._url}: {error}") from error


def strip(node: Mapping[str, Any]) -> dict[str, Any]:
    """A group, application or pod without what Marathon owns, with its children alike."""
    kept = {name: value for name, value in node.items() if name not in _OWNED}
    for old, new in _DEPRECATED.items():
        if kept.get(new) is not None:
            kept.pop(old, None)
    for name in ("groups", "apps", "pods"):
        if name in kept:
            kept[name] = [strip(each) for each in kept[name]]
    return kept


def apps(tree: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """All applications of a tree, stripped."""
    yield from (strip(app) for app in tree.get("apps", ()))
    for group in tree.get("groups", ()):
        yield from apps(group)


def merge(marathon: Marathon, saved: Mapping[str, Any], *, force: bool = False, dry_run: bool = False) -> list[dict]:
    """Put back the applications that are gone or differ, dependencies first; what else runs is left alone.

    One entry for each saved application: its `id`, the `action` (create, update, none), the `fields` that differ, and
    once it was tried the `outcome` (done, locked, failed) with `deployments` or a `reason`.
    """
    live = {app["id"]: app for app in apps(marathon.groups())}
    wanted = {app["id"]: app for app in _ordered({app["id"]: app for app in apps(saved)})}
    changes = [_change(app, live.get(id_)) for id_, app in wanted.items()]
    waiting = [] if dry_run else [each for each in changes if each["action"] != "none"]
    for pause_s in _PAUSES_S:
        if waiting:
            time.sleep(pause_s)
        for change in waiting:
            change.update(_outcome(marathon.put_app(wanted[change["id"]], force=force)))
        waiting = [each for each in waiting if each["outcome"] == "locked"]
    return changes


def replace(marathon: Marathon, saved: Mapping[str, Any], *, force: bool = False, dry_run: bool = False) -> list[dict]:
    """Make Marathon hold exactly what was saved: what else runs is stopped.

    The actions that Marathon itself plans (`action`, `id`), asked first in any case; none of them is done where it
    refuses. All have the same `outcome`, for they are one deployment.
    """
    tree = strip(saved)
    planned = marathon.put_groups(tree, dry_run=True)
    if not planned.is_ok:
        return [{"id": tree["id"], "action": "replace", **_outcome(planned)}]
    changes = [
        {"id": action.get("app") or action.get("pod"), "action": action["action"]}
        for step in planned.body["steps"]
        for action in step["actions"]
    ]
    if changes and not dry_run:
        outcome = _outcome(marathon.put_groups(tree, force=force))
        changes = [{**change, **outcome} for change in changes]
    return changes


def _change(app: Mapping[str, Any], live: Mapping[str, Any] | None) -> dict[str, Any]:
    if live is None:
        return {"id": app["id"], "action": "create", "fields": []}
    fields = sorted(name for name in app.keys() | live.keys() if app.get(name) != live.get(name))
    return {"id": app["id"], "action": "update" if fields else "none", "fields": fields}


def _outcome(answer: Answer) -> dict[str, Any]:
    if answer.is_ok:
        return {"outcome": "done", "deployments": answer.deployments, "reason": ""}
    # 409 without deployments is another conflict, and does not pass by waiting.
    is_locked = answer.status == _LOCKED and bool(answer.deployments)
    outcome = "locked" if is_locked else "failed"
    return {"outcome": outcome, "deployments": answer.deployments, "reason": answer.reason}


def _ordered(wanted: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Dependencies before those that need them."""
    graph = {id_: [each for each in app.get("dependencies") or () if each in wanted] for id_, app in wanted.items()}
    try:
        return [wanted[id_] for id_ in TopologicalSorter(graph).static_order()]
    except CycleError:
        return list(wanted.values())  # Marathon says itself what is wrong with it


def _word(flag: bool) -> str:  # noqa: FBT001
    return "true" if flag else "false"


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")[:500]
