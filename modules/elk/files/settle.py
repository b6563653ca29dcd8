#!/usr/bin/env python3
"""Settles an OpenSearch domain: who may write and read, how long indices live, where snapshots go.

``settle.py FILE`` can run as often as one likes. FILE is the JSON that elk-collectors.tf makes (/etc/ngp/settle.json);
whoever runs it must be allowed to assume MASTER_ROLE. It says what it does, and ends with 1 where the domain refuses.
"""

import json
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError

TRIES = 6
SECURITY = "/_plugins/_security/api"
RETENTION, SNAPSHOTS = "/_plugins/_ism/policies/ngp-retention", "/_plugins/_sm/policies/ngp-daily"


class RefusedError(Exception):
    """The domain answered otherwise than was asked, or not at all."""


class Domain:
    """Speaks to the domain as its master."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.url, self.region = settings["ENDPOINT"], settings["REGION"]
        session = botocore.session.get_session()
        session.set_config_variable("sts_regional_endpoints", "regional")
        sts = session.create_client("sts", region_name=self.region)
        keys = sts.assume_role(RoleArn=settings["MASTER_ROLE"], RoleSessionName="ngp-settle")["Credentials"]
        self.credentials = Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The answer as JSON; None where there is no such thing."""
        data = None if body is None else json.dumps(body).encode()
        signed = AWSRequest(method, self.url + path, data=data, headers={"Content-Type": "application/json"})
        SigV4Auth(self.credentials, "es", self.region).add_auth(signed)
        sent = urllib.request.Request(signed.url, data, dict(signed.headers.items()), method=method)
        try:
            with urllib.request.urlopen(sent, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise RefusedError(f"{method} {path}: {error.code} {error.read(500).decode(errors='replace')}") from error
        except (OSError, ValueError) as error:
            raise RefusedError(f"{method} {path}: {error}") from error

    def require(self, method: str, path: str, body: Any) -> None:
        if self.ask(method, path, body) is None:
            raise RefusedError(f"{method} {path}: 404")

    def keep(self, path: str, policy: Any, *, made_by: str) -> bool:
        """Let the policy be there; its description tells it from others. True where another was there and gave way."""
        known = self.ask("GET", path)
        if known is None:
            self.require(made_by, path, policy)
            return False
        held = known.get("policy") or known["sm_policy"]
        if held["description"] == (policy.get("policy") or policy)["description"]:
            return False
        self.require("PUT", f"{path}?if_seq_no={known['_seq_no']}&if_primary_term={known['_primary_term']}", policy)
        return True


def settle(domain: Domain, settings: dict[str, Any]) -> None:
    """Everything, in the order in which one needs the other."""
    indices, days = f"{settings['INDEX_PREFIX']}-*", settings["RETENTION_DAYS"]
    for role, holders, rights in (
        ("ngp_writer", settings["WRITERS"].split(), writer(indices)),
        ("ngp_reader", settings["READERS"].split(), reader(indices)),
    ):
        domain.require("PUT", f"{SECURITY}/roles/{role}", rights)
        domain.require("PUT", f"{SECURITY}/rolesmapping/{role}", {"backend_roles": holders})
    shape = {"settings": {"number_of_shards": 1, "number_of_replicas": settings["COPIES"]}}
    domain.require("PUT", "/_index_template/ngp-logs", {"index_patterns": [indices], "template": shape})
    say("rights and template stand")

    if domain.keep(RETENTION, retention(indices, days), made_by="PUT"):
        domain.ask("POST", f"/_plugins/_ism/change_policy/{indices}", {"policy_id": "ngp-retention"})
    # Indices that were there before the policy, if any.
    domain.ask("POST", f"/_plugins/_ism/add/{indices}", {"policy_id": "ngp-retention"})
    say(f"{indices} are deleted after {days} days")

    masters = {"backend_roles": [settings["MASTER_ROLE"]]}
    domain.require("PUT", f"{SECURITY}/rolesmapping/manage_snapshots", masters)
    place = {"bucket": settings["BUCKET"], "region": settings["REGION"], "role_arn": settings["SNAPSHOT_ROLE"]}
    domain.require("PUT", "/_snapshot/ngp", {"type": "s3", "settings": place})
    domain.keep(SNAPSHOTS, snapshots(indices, days), made_by="POST")
    say(f"snapshots go to {settings['BUCKET']} every day")


def writer(indices: str) -> dict[str, Any]:
    """The rights of those who write logs and nothing else."""
    may = ["create_index", "write", "indices:admin/mapping/put"]
    return {
        "cluster_permissions": ["cluster_monitor", "indices:data/write/bulk"],
        "index_permissions": [{"index_patterns": [indices], "allowed_actions": may}],
    }


def reader(indices: str) -> dict[str, Any]:
    """The rights of those who search logs and look at dashboards."""
    return {
        "cluster_permissions": ["cluster_composite_ops_ro"],
        "index_permissions": [{"index_patterns": [indices], "allowed_actions": ["read", "indices_monitor"]}],
        "tenant_permissions": [{"tenant_patterns": ["global_tenant"], "allowed_actions": ["kibana_all_read"]}],
    }


def retention(indices: str, days: int) -> dict[str, Any]:
    """The policy of Index State Management."""
    is_old = [{"state_name": "old", "conditions": {"min_index_age": f"{days}d"}}]
    states = [
        {"name": "new", "actions": [], "transitions": is_old},
        {"name": "old", "actions": [{"delete": {}}], "transitions": []},
    ]
    return {
        "policy": {
            "description": f"ngp: {indices} are deleted after {days} days",
            "default_state": "new",
            "states": states,
            "ism_template": [{"index_patterns": [indices], "priority": 100}],
        }
    }


def snapshots(indices: str, days: int) -> dict[str, Any]:
    """The policy of Snapshot Management."""
    return {
        "description": f"ngp: {indices} every day, kept for {days} days",
        "creation": {"schedule": {"cron": {"expression": "0 1 * * *", "timezone": "UTC"}}, "time_limit": "6h"},
        "deletion": {"condition": {"max_age": f"{days}d", "min_count": 1}},
        "snapshot_config": {"indices": indices, "repository": "ngp", "ignore_unavailable": True},
    }


def say(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%FT%TZ', time.gmtime())} settle: {text}\n")


def main() -> None:
    """Again and again for some minutes: new domains are busy, new roles unknown, another collector may do the same."""
    settings = json.loads(Path(sys.argv[1]).read_text())
    for attempt in range(1, TRIES + 1):
        try:
            return settle(Domain(settings), settings)
        except (RefusedError, BotoCoreError, ClientError) as error:
            say(f"attempt {attempt} of {TRIES}: {error}")
            time.sleep(0 if attempt == TRIES else settings.get("PAUSE_S", 15) * attempt)
    raise SystemExit(1)


if __name__ == "__main__":
    main()
