"""Creates in the sandbox what an environment expects of its account; `ngp_emulator` has what every account has."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path

from ngp import files
from ngp.aws.session import Session
from ngp.sandbox import server
from ngp.state import bucket as buckets
from ngp.state.locations import S3, StateLocation


def ensure(workspace: Path, session: Session, region: str, domain: str, bucket: str) -> None:
    """Seed the sandbox of `workspace`, unless that was done since its start or reset."""
    path = server.folder(workspace) / server.SEEDED
    wanted, done = [region, domain, bucket], []
    with suppress(OSError, ValueError):
        done = json.loads(path.read_text(encoding="utf-8"))
    if wanted not in done:
        seed(session, region=region, domain=domain, bucket=bucket)
        files.write(path, json.dumps([*done, wanted]) + "\n", mode=0o600)


def seed(session: Session, *, region: str, domain: str, bucket: str) -> None:
    """Create the hosted zone of `domain` and the state `bucket` ("" for none) in the sandbox.

    Existing ones stay unchanged. A second call only checks, in some hundredths of a second.
    """
    if domain and session.hosted_zone(domain) is None:
        reference = hashlib.sha256(domain.encode()).hexdigest()
        session.call("route53", "create_hosted_zone", Name=domain, CallerReference=reference)
    if bucket:
        missing = buckets.plan(session, StateLocation(S3, bucket, "", region))
        if not missing.is_empty:
            buckets.bootstrap(session, missing)
