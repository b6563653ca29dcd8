"""All commands in the order of `ngp --help`, known without importing them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ngp import commands


@dataclass(frozen=True)
class Entry:
    """One line of `ngp --help`. `help` is the first line of the command's docstring, as a test ensures."""

    name: str
    heading: str
    help: str

    @property
    def module(self) -> str:
        return f"ngp.commands.{self.name}"


_ROWS = {
    "The platform": {
        "init": "Create a platform in a folder.",
        "module": "List, show, create, add, check and document the modules of the catalogue.",
        "env": "Create, list, compare and promote environments; show what a change affects.",
        "configure": "Choose the modules of an environment and set their values.",
        "render": "Write the Terraform roots of the environments.",
        "validate": "Check environments: ngp's own checks, then Terraform's.",
        "secret": "Find secrets in plain text.",
        "graph": "Show which units use outputs of which, wave by wave.",
    },
    "The region": {
        "plan": "Plan every unit, even in an empty or half-applied region; change nothing.",
        "apply": "Plan all units once, ask once, and apply exactly that plan; or apply a bundle.",
        "explain": "Show which line of tfvars, environment.yaml or a module changes a resource.",
        "policy": "Check plans against policies: ngp's own rules, and the platform's in Rego.",
        "destroy": "Destroy units, dependent units first; ask for the environment's name.",
        "bundle": "Show, verify, compare and approve bundles: saved plans that ngp applies elsewhere.",
        "output": "Show the outputs of units; mask sensitive ones.",
        "status": "Show each unit's state: its resources, serial and age.",
        "orphans": "List states without a declared unit, and how to destroy or move what they contain.",
        "ci": "Plan, comment on and apply changes in a CI pipeline; list its jobs.",
        "ready": "Wait until the services of units answer, by the readiness checks of their modules.",
    },
    "The hosts": {
        "host": "List hosts, log in to them, run commands on them, and copy files to and from them.",
        "package": "Deploy Debian packages to hosts, and list what is installed and deployed.",
        "moltar": "Run a Moltar command line: print the ngp command for it, then run that.",
    },
    "Prerequisites and state": {
        "doctor": "Check prerequisites, and show how to get what is missing.",
        "lock": "Renew the platform's provider lock file.",
        "locks": "Show which states are locked, by whom, whether the holder still runs, and how to release them.",
        "unlock": "Release the lock of a unit's state; refuse while its Terraform still runs.",
        "state": "Create the state bucket, and show the states in it.",
        "pool": "Keep providers and ngp itself running between commands, so that commands start faster.",
        "sandbox": "Start, stop and inspect the AWS emulator on this machine.",
    },
    "About ngp": {
        "help": "Show the help of a command.",
        "version": "Show the versions of ngp, Python and Terraform, and the version that rendered the platform.",
    },
}


def entries() -> dict[str, Entry]:
    """Return the commands whose module exists, by name."""
    here = Path(commands.__file__).parent
    return {
        name: Entry(name, heading, text)
        for heading, rows in _ROWS.items()
        for name, text in rows.items()
        if (here / f"{name}.py").is_file()
    }
