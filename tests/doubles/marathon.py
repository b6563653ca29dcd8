"""A double of Marathon: a small HTTP server that answers as the documentation says. It is no Marathon, it runs nothing.

No Marathon can be had on the machines that test this (its project has ended), so the double is held to
marathon-contract.jsonl, which was written down from the API's published description (RAML and examples of Marathon 1.5
to 1.11): a request, and what must come back.
"""

import http.server
import json
import re
import ssl
import threading
from urllib.parse import parse_qs, unquote, urlsplit

VERSION = "2015-09-29T15:59:51.164Z"
DEPLOYMENT = "5ed4c0c5-9ff8-4a6f-a0cd-f57f59a34b43"
LOCKED = (
    "App is locked by one or more deployments. Override with the option '?force=true'. "
    "View details at '/v2/deployments/<DEPLOYMENT_ID>'."
)
REPLACED = {"uris": "fetch", "ports": "portDefinitions"}


class Marathon:
    """Applications by id, each in the group of its path; `locked` are those that a deployment holds."""

    def __init__(self, *apps, authorization="", certificate=None):
        self.apps = {app["id"]: app for app in apps}
        self.authorization, self.locked, self.calls = authorization, {}, []
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        scheme = "https" if certificate else "http"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method, target, body=None, headers=None):
        """Status and body for a request."""
        parts = urlsplit(target)
        asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        path, is_forced = unquote(parts.path), asked.get("force") == "true"
        if self.authorization and (headers or {}).get("Authorization") != self.authorization:
            return 401, {"message": "Invalid username or password."}
        self.calls.append((method, path, asked))
        if method == "GET" and path == "/v2/groups":
            return 200, self._tree("/")
        if method == "PUT" and path == "/v2/groups":
            return self._put_groups(body, is_dry=asked.get("dryRun") == "true", is_forced=is_forced)
        if method == "PUT" and path.startswith("/v2/apps/"):
            app = {**body, "id": path.removeprefix("/v2/apps")}
            return self._put_app(app, is_forced=is_forced, is_partial=asked.get("partialUpdate") != "false")
        return 404, {"message": f"no resource at {path}"}

    def _put_app(self, app, *, is_forced, is_partial):
        if fault := _fault(app, "/"):
            return fault
        if self._is_held([app["id"]], is_forced=is_forced):
            return self._conflict([app["id"]])
        before = self.apps.get(app["id"])
        if before is not None and is_partial:
            app = {**before, **app}
        self.apps[app["id"]] = _told(app)
        return 200 if before is not None else 201, {"deploymentId": DEPLOYMENT, "version": VERSION}

    def _put_groups(self, tree, *, is_dry, is_forced):
        if "version" in tree:  # a rollback to that version, whatever else is there
            return 200, {"deploymentId": DEPLOYMENT, "version": tree["version"]}
        wanted = {app["id"]: app for app in _flat(tree)}
        for app in wanted.values():
            if fault := _fault(app, "/apps"):
                return fault
        actions = _actions(self.apps, wanted)
        if is_dry:
            return 200, {"steps": [{"actions": [action]} for action in actions]}
        touched = [action["app"] for action in actions]
        if self._is_held(touched, is_forced=is_forced):
            return self._conflict(touched)
        self.apps = {id_: _told(app) for id_, app in wanted.items()}
        return 200, {"deploymentId": DEPLOYMENT, "version": VERSION}

    def _is_held(self, ids, *, is_forced):
        """Whether a deployment holds any of them; each question passes a little of its time."""
        held = [id_ for id_ in ids if self.locked.get(id_, 0) > 0]
        for id_ in held:
            self.locked[id_] -= 1
        return bool(held) and not is_forced

    def _conflict(self, ids):
        return 409, {"message": LOCKED, "deployments": [{"id": "97c136bf-5a28-4821-9d94-480d9fbb01c8"}]}

    def _tree(self, group):
        """A group with its applications and groups, as GET tells it: with what the server adds."""
        below = {app: definition for app, definition in self.apps.items() if app.startswith(group.rstrip("/") + "/")}
        depth = 1 if group == "/" else group.count("/") + 1
        apps = [_told(app) for id_, app in below.items() if id_.count("/") == depth]
        groups = sorted({"/".join(id_.split("/")[: depth + 1]) for id_ in below if id_.count("/") > depth})
        children = [self._tree(each) for each in groups]
        return {"id": group, "apps": apps, "groups": children, "pods": [], "dependencies": [], "version": VERSION}

    def _handler(self):
        double = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def reply(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                status, answer = double.answer(self.command, self.path, body, dict(self.headers))
                text = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                if status == 302:
                    self.send_header("Location", answer["location"])
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_PUT = reply  # noqa: N815

            def log_message(self, *_):
                pass

        return Handler


def _told(app):
    """An application as Marathon tells it, with what is its own and with the old names beside the new."""
    told = {**app, "version": VERSION, "versionInfo": {"lastScalingAt": VERSION, "lastConfigChangeAt": VERSION}}
    if "portDefinitions" in told:
        told["ports"] = [each["port"] for each in told["portDefinitions"]]
    return told


def _flat(tree):
    return [*tree.get("apps", []), *(app for group in tree.get("groups", []) for app in _flat(group))]


def _fault(app, path):
    both = [f"{old} and {new}" for old, new in REPLACED.items() if app.get(old) and app.get(new)]
    if both:
        return 422, {"message": "Object is not valid", "details": [{"path": path, "errors": both}]}
    if not re.fullmatch(r"(/[a-z0-9.-]+)+", app["id"]):
        return 422, {"message": "Object is not valid", "details": [{"path": f"{path}/id", "errors": ["invalid path"]}]}
    return None


def _actions(live, wanted):
    def own(app):
        return {name: value for name, value in app.items() if name not in ("version", "versionInfo", "ports")}

    stops = [{"action": "StopApplication", "app": id_} for id_ in live if id_ not in wanted]
    starts = [{"action": "StartApplication", "app": id_} for id_ in wanted if id_ not in live]
    changed = [id_ for id_, app in wanted.items() if id_ in live and own(live[id_]) != own(app)]
    return [*stops, *starts, *({"action": "RestartApplication", "app": id_} for id_ in changed)]
