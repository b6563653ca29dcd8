"""What a Swarm cluster holds, as values: by name and without ids, so that a definition is equal wherever it runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine import Engine, EngineError

STACK = "com.docker.stack.namespace"
RECORD = "ngp.stack"  # label of the configs in which the cluster's leader writes down what it deployed from the bucket


@dataclass(frozen=True)
class State:
    """What a cluster holds, by name and without ids: the same definition is equal wherever it runs."""

    networks: Mapping[str, dict[str, Any]]
    configs: Mapping[str, dict[str, Any]]
    secrets: tuple[str, ...]  # names only: Docker gives a secret's value to containers alone
    services: Mapping[str, dict[str, Any]]

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> State:
        return cls(content["networks"], content["configs"], tuple(content["secrets"]), content["services"])

    def content(self) -> dict[str, Any]:
        kinds = ("networks", "configs", "services")
        return {**{kind: getattr(self, kind) for kind in kinds}, "secrets": list(self.secrets)}


@dataclass(frozen=True)
class Ids:
    """How the running cluster names what it holds: name → id."""

    networks: Mapping[str, str]
    configs: Mapping[str, str]
    secrets: Mapping[str, str]
    services: Mapping[str, tuple[str, int]]  # with the version that a change must name
    managed: frozenset[str]  # stacks that the cluster's bucket deploys


def read(engine: Engine) -> tuple[State, Ids]:
    """What the cluster runs now."""
    kinds = ("networks", "configs", "secrets", "services")
    known, configs, secrets, services = (engine.call("GET", f"/{kind}") for kind in kinds)
    networks = [each for each in known if each["Scope"] == "swarm" and not each["Ingress"]]
    names = {each["Id"]: each["Name"] for each in known}
    for target in {each["Target"] for service in services for each in _networks(service["Spec"])} - names.keys():
        # `host` has an id of its own for services, which no list tells.
        names[target] = engine.call("GET", f"/networks/{target}")["Name"]
    records = {each["ID"] for each in configs if RECORD in _labels(each)}
    state = State(
        {each["Name"]: _network(each) for each in networks},
        {each["Spec"]["Name"]: each["Spec"] for each in configs if each["ID"] not in records},
        tuple(sorted(each["Spec"]["Name"] for each in secrets)),
        {each["Spec"]["Name"]: _service(each["Spec"], names) for each in services},
    )
    ids = Ids(
        {each["Name"]: each["Id"] for each in networks},
        {each["Spec"]["Name"]: each["ID"] for each in configs},
        {each["Spec"]["Name"]: each["ID"] for each in secrets},
        {each["Spec"]["Name"]: (each["ID"], each["Version"]["Index"]) for each in services},
        frozenset(_labels(each)[RECORD] for each in configs if each["ID"] in records),
    )
    return state, ids


def _network(told: Mapping[str, Any]) -> dict[str, Any]:
    """A network's definition. Its address ranges stay out: the cluster gives it some of those that are free."""
    kept = {name: told[name] for name in ("Name", "Driver", "Internal", "Attachable", "EnableIPv6")}
    # What the driver adds by itself.
    options = {name: value for name, value in (told["Options"] or {}).items() if not name.endswith("vxlanid_list")}
    return {**kept, "Labels": told["Labels"] or {}, "Options": options}


def _service(spec: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """A service's definition with names in place of ids, and without the counter of forced updates."""
    kept = json.loads(json.dumps(spec))
    kept["TaskTemplate"].pop("ForceUpdate", None)
    for network in _networks(kept):
        network["Target"] = names[network["Target"]]
    container = container_of(kept)
    for kind in ("Config", "Secret"):
        for each in container.get(f"{kind}s") or ():
            each.pop(f"{kind}ID", None)
    return kept


def with_ids(spec: Mapping[str, Any], ids: Ids) -> dict[str, Any]:
    """The definition as Docker takes it; networks it finds by name itself. Raises EngineError for what is not there."""
    sent = json.loads(json.dumps(spec))
    container = container_of(sent)
    for kind, known in (("Config", ids.configs), ("Secret", ids.secrets)):
        for each in container.get(f"{kind}s") or ():
            name = each[f"{kind}Name"]
            if name not in known:
                raise EngineError(404, f"no {kind.lower()} {name}")
            each[f"{kind}ID"] = known[name]
    return sent


def container_of(spec: Mapping[str, Any]) -> dict[str, Any]:
    return spec["TaskTemplate"].get("ContainerSpec") or {"Image": ""}


def _networks(spec: Mapping[str, Any]) -> list[dict[str, Any]]:
    return spec["TaskTemplate"].get("Networks") or []


def _labels(told: Mapping[str, Any]) -> Mapping[str, str]:
    return told["Spec"].get("Labels") or {}


def stack_of(spec: Mapping[str, Any]) -> str:
    """The stack that a definition belongs to, "" for none."""
    return (spec.get("Labels") or {}).get(STACK, "")
