"""Snapshots in a bucket: what was saved, as JSON, and beside it a manifest that says what it is.

The manifest is written last and holds the text's checksum: a snapshot without one was never finished.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

_MANIFEST = ".manifest.json"


class SnapshotError(Exception):
    """A snapshot that is not there (`status` 404), or is not what was saved (422)."""

    def __init__(self, what: str, status: int) -> None:
        super().__init__(what)
        self.status = status


@dataclass(frozen=True)
class Store:
    """The snapshots below ``PREFIX`` (with a slash at its end): ``PREFIX + YYYY/MM/DD/HHMMSS.json``, in UTC."""

    client: Any  # boto3's of S3
    bucket: str
    prefix: str

    def save(self, content: Any, facts: dict[str, Any], now: datetime | None = None) -> dict[str, Any]:
        """Write a snapshot; `facts` go into its manifest, which is returned."""
        taken = (now or datetime.now(UTC)).astimezone(UTC)
        key = f"{self.prefix}{taken:%Y/%m/%d/%H%M%S}.json"
        body = json.dumps(content, indent=1, sort_keys=True).encode()
        manifest = {**facts, "key": key, "taken_at": f"{taken:%Y-%m-%dT%H:%M:%SZ}", "sha256": _sha256(body)}
        self._put(key, body)
        self._put(key.removesuffix(".json") + _MANIFEST, json.dumps(manifest, indent=1, sort_keys=True).encode())
        return manifest

    def load(self, key: str = "") -> tuple[dict[str, Any], Any]:
        """The manifest and the content of a snapshot, of the newest without a key. Raises SnapshotError."""
        found = key or max(self.keys(), default="")
        if not found:
            raise SnapshotError(f"there is no snapshot in s3://{self.bucket}/{self.prefix} yet", 404)
        manifest = json.loads(self._get(found.removesuffix(".json") + _MANIFEST))
        body = self._get(found)
        if _sha256(body) != manifest["sha256"]:
            raise SnapshotError(f"{found} is not what was saved: its checksum is another than its manifest says", 422)
        return manifest, json.loads(body)

    def keys(self) -> Iterator[str]:
        """The keys of all finished snapshots."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix)
        for page in pages:
            for each in page.get("Contents", ()):
                if each["Key"].endswith(_MANIFEST):
                    yield each["Key"].removesuffix(_MANIFEST) + ".json"

    def _put(self, key: str, body: bytes) -> None:
        self.client.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType="application/json")

    def _get(self, key: str) -> bytes:
        if not key.startswith(self.prefix):
            raise SnapshotError(f"{key} is no snapshot: they lie below {self.prefix}", 404)
        try:
            body: bytes = self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except ClientError as error:
            # To who may list a part of a bucket only, S3 says of what is not there that he may not read it.
            if error.response["Error"]["Code"] not in {"NoSuchKey", "AccessDenied"}:
                raise
            what = f"there is no {key} in the bucket {self.bucket}, or it may not be read"
            raise SnapshotError(what, 404) from None
        return body


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
