"""AWS as the pool reaches it: a session for each way of signing in, and the objects that it has read, by ETag."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ngp.aws.failures import UnchangedError, UnsignedError
from ngp.aws.identity import Role
from ngp.aws.session import Session
from ngp.errors import MissingError, NgpError
from ngp.pool import credentials, values

_MOST_SESSIONS = 16
_MOST_BYTES = 64 << 20  # of objects held in memory


@dataclass(frozen=True)
class _Object:
    etag: str
    answer: Any  # encoded
    size: int  # of `answer`


class Accounts:
    """Makes calls in place of commands. Objects are held in memory only: states may hold secrets."""

    def __init__(self, surroundings: Mapping[str, str]) -> None:
        self._surroundings = surroundings
        self._guard = threading.Lock()
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._objects: OrderedDict[tuple[str, str, str], _Object] = OrderedDict()
        self.unchanged = 0  # objects that AWS said were still the same

    def answer(self, order: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer to a call: what AWS says, or the error that the command would have raised itself."""
        if order["surroundings"] != self._surroundings:
            return {"gone": "the pool was started with another HOME, proxy or CA bundle"}
        key, session = self._session(order)
        try:
            if (order["service"], order["operation"]) == ("s3", "get_object"):
                return {"answer": self._object(key, session, order)}
            return {"answer": values.encode(self._call(session, order))}
        except UnsignedError as error:
            self._forget(key)
            return {"gone": f"{error}, as the pool sees it"}
        except NgpError as error:
            if error.code == MissingError.code:
                self._forget(key)
            findings = [[one.what, one.where, one.why, one.todo] for one in error.findings]
            return {"failure": error.code, "findings": findings}

    def describe(self) -> Mapping[str, int]:
        """How many sessions and objects there are."""
        return {"sessions": len(self._sessions), "objects": len(self._objects), "unchanged": self.unchanged}

    def _session(self, order: Mapping[str, Any]) -> tuple[str, Session]:
        env, profile, role = order["env"], order["profile"], order["role"]
        home = {"HOME": self._surroundings.get("HOME", "")}
        key = json.dumps([credentials.digest({**home, **env}), profile, role])
        with self._guard:
            session = self._sessions.get(key) or Session(env, profile=profile, role=Role(*role) if role else None)
            self._sessions[key] = session
            self._sessions.move_to_end(key)
            if len(self._sessions) > _MOST_SESSIONS:
                self._sessions.popitem(last=False)
        return key, session

    def _forget(self, key: str) -> None:
        """The next call signs in anew: what was missing may be there by then."""
        with self._guard:
            self._sessions.pop(key, None)

    def _call(self, session: Session, order: Mapping[str, Any], **more: Any) -> dict[str, Any] | None:
        parameters = {**values.decode(order["parameters"]), **more}
        return session.call(order["service"], order["operation"], absent=order["absent"], **parameters)

    def _object(self, key: str, session: Session, order: Mapping[str, Any]) -> Any:
        asked = order["parameters"]
        if set(asked) != {"Bucket", "Key"}:  # a part of it, or a version
            return values.encode(self._call(session, order))
        at = (key, asked["Bucket"], asked["Key"])
        kept = self._objects.get(at)
        try:
            found = self._call(session, order, **({"IfNoneMatch": kept.etag} if kept else {}))
        except UnchangedError:
            assert kept is not None
            self.unchanged += 1
            return kept.answer
        answer = values.encode(found)
        with self._guard:
            self._objects.pop(at, None)
            if found is not None and found.get("ETag"):
                self._objects[at] = _Object(found["ETag"], answer, len(json.dumps(answer)))
            while sum(one.size for one in self._objects.values()) > _MOST_BYTES:
                self._objects.popitem(last=False)
        return answer
