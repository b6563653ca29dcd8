"""Gives the sandbox what a real account has before ngp comes (`account.py`), once and then never again."""

from __future__ import annotations

import hashlib

from ngp.aws.session import Session
from ngp.sandbox import account
from ngp.state import bucket as buckets
from ngp.state.places import S3, StatePlace


def seed(session: Session, *, region: str, domain: str, bucket: str) -> None:
    """Lay the hosted zone of `domain`, the public parameters and the state `bucket` ("" for none) into the sandbox.

    What is there already stays as it is; a second call only looks, in a few hundredths of a second.
    """
    if domain and session.hosted_zone(domain) is None:
        reference = hashlib.sha256(domain.encode()).hexdigest()
        session.call("route53", "create_hosted_zone", Name=domain, CallerReference=reference)
    for name, value in account.PARAMETERS.items():
        # moto knows them from its repairs; ministack lets anybody put them
        if session.parameter(name) is None:
            session.call("ssm", "put_parameter", Name=name, Value=value, Type="String")
    if bucket:
        missing = buckets.plan(session, StatePlace(S3, bucket, "", region))
        if not missing.is_empty:
            buckets.bootstrap(session, missing)
