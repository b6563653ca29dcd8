"""Stands for Docker: one cluster is a JSON file ($FAKE_CLUSTER) that nodes ($FAKE_NODE) share; it keeps their calls."""

import json
import threading
from pathlib import Path

from tests.modules.swarm.fakes.calls import Failure

EMPTY = {"nodes": {}, "leader": "", "networks": [], "configs": {}, "secrets": {}, "stacks": {}, "inits": 0, "calls": []}
_ONE_AT_A_TIME = threading.Lock()


def answer(call):
    """What the command prints; raises Failure."""
    cluster = Path(call.environ["FAKE_CLUSTER"])
    with _ONE_AT_A_TIME:
        state = json.loads(cluster.read_text()) if cluster.exists() else json.loads(json.dumps(EMPTY))
        state["calls"].append([call.environ["FAKE_NODE"], *call.words])
        try:
            return act(call, state)
        finally:
            cluster.write_text(json.dumps(state))


def labels(call):
    return dict(pair.split("=", 1) for flag, pair in zip(call.words, call.words[1:], strict=False) if flag == "--label")


def act(call, state):  # noqa: C901, PLR0912, PLR0915  a branch for each command
    here, nodes = call.environ["FAKE_NODE"], state["nodes"]
    me = nodes.get(here)
    match call.words:
        case ["info", *_]:
            return me["state"] if me else "inactive"
        case ["version", *_]:
            return "20.10.24"
        case ["swarm", "init", *_]:
            state["inits"] += 1
            state["leader"] = here
            nodes[here] = {"state": "active", "role": "manager", "address": call.option("--advertise-addr")}
        case ["swarm", "join", *_]:
            address = call.words[-1].removesuffix(":2377")
            if not any(
                n["address"] == address and n["role"] == "manager" and not n.get("dead") for n in nodes.values()
            ):
                raise Failure("Error: rpc error: connection refused")
            role = call.option("--token").removeprefix("TOKEN-").split("#")[0]
            nodes[here] = {"state": "active", "role": role, "address": call.option("--advertise-addr")}
        case ["swarm", "leave", *_]:
            nodes.pop(here, None)
        case ["swarm", "join-token", "-q", role]:
            return f"TOKEN-{role}#{state.get('rotation', 0)}"
        case ["node", "inspect", "self", *_]:
            return str(state["leader"] == here).lower()
        case ["node", "ls", "-q"]:
            return "\n".join(nodes)
        case ["node", "inspect", *ids]:
            return json.dumps([description(each, nodes[each]) for each in ids])
        case ["node", "update", "--label-add", pair, node]:
            nodes[node].setdefault("labels", {}).update([pair.split("=", 1)])
        case ["node", "update", "--availability", "drain", node]:
            nodes[node]["drained"] = True
        case ["node", "ps", "--format", "{{.CurrentState}}", node]:
            return "\n".join(nodes[node].get("tasks", []))
        case ["node", "demote", node]:
            nodes[node]["role"] = "worker"
        case ["node", "rm", "--force", node]:
            if nodes[node]["role"] == "manager":
                raise Failure("Error: node is a manager")
            del nodes[node]
        case ["network", "inspect", name]:
            if name in state["networks"]:
                return ""
            raise Failure
        case ["network", "create", *_]:
            state["networks"].append(call.words[-1])
        case ["config", "inspect", "--format", _, name]:
            if name not in state["configs"]:
                raise Failure("no such config")
            return state["configs"][name]["ngp.digest"]
        case ["config", "create", *_]:
            state["configs"][call.words[-2]] = labels(call)
        case ["config", "rm", name]:
            if state["configs"].pop(name, None) is None:
                raise Failure("no such config")
        case ["config", "ls", *_]:
            return "\n".join(state["configs"])
        case ["secret", "inspect", name]:
            if name in state["secrets"]:
                return ""
            raise Failure
        case ["secret", "create", *_]:
            state["secrets"][call.words[-2]] = call.stdin
        case ["stack", "deploy", *_]:
            text = Path(call.option("-c")).read_text()
            if "broken" in text:
                raise Failure("Error: yaml")
            variables = {key: value for key, value in call.environ.items() if key.startswith("SECRET_")}
            state["stacks"][call.words[-1]] = {"text": text, "variables": variables}
        case ["service", "ls", "--format", "{{.Name}} {{.Image}}"]:
            return "\n".join(f"{name} {image}" for name, image in state.get("services", {}).items())
        case ["service", "update", "--quiet", "--detach", "--with-registry-auth", name]:
            client = json.loads((Path(call.environ["HOME"]) / ".docker/config.json").read_text())
            caches = call.environ.get("AWS_ECR_DISABLE_CACHE") != "true"
            state.setdefault("logins", {})[name] = {**client, "caches": caches}
        case ["stack", "rm", name]:
            del state["stacks"][name]
        case _:
            raise Failure(f"the fake knows no {call.words}")
    return None


def description(node, facts):
    return {
        "ID": node,
        "Description": {"Engine": {"Labels": facts.get("engine", {})}},
        "Spec": {"Role": facts["role"], "Labels": facts.get("labels", {})},
        "Status": {"State": "down" if facts.get("dead") else "ready"},
        **({"ManagerStatus": {"Addr": f"{facts['address']}:2377"}} if facts["role"] == "manager" else {}),
    }
