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
        "init": "Make a new platform in a folder.",
        "module": "List, show, make, add, check and document the modules of the catalogue.",
        "env": "Make, list, compare and promote environments; say what a change affects.",
        "configure": "Choose the modules of an environment and answer what they need.",
        "render": "Write the Terraform roots of the environments.",
        "validate": "Check environments: ngp's own checks, then Terraform's.",
        "secret": "Find secrets in plain text.",
        "graph": "Show which unit takes what from which, wave by wave.",
    },
    "The region": {
        "plan": "Preview every unit, also on an empty or half-applied region; nothing is changed.",
        "apply": "Bring units to what was previewed and agreed to; anything more stops the run.",
        "explain": "Name the line of tfvars, environment.yaml or a module that changes a resource.",
        "policy": "Hold plans to policies: ngp's own rules, and the platform's in Rego.",
        "destroy": "Destroy units, dependants first; asks for the environment's name.",
        "bundle": "Show, verify, compare and approve bundles: saved plans that ngp applies elsewhere.",
        "output": "Show the outputs of units; sensitive ones are masked.",
        "status": "Show what each unit's state holds.",
        "orphans": "List states that were left behind: what they hold, and the ways out.",
        "ci": "Plan, comment on and apply changes in a CI pipeline; list its jobs.",
        "ready": "Wait until what units serve answers, by the readiness checks of their modules.",
    },
    "The hosts": {
        "host": "List hosts, log in to them, run commands on them, and copy files to and from them.",
        "package": "Deploy Debian packages to hosts, and list what is installed and deployed.",
        "moltar": "Run a Moltar command line: print the ngp command for it, then run that.",
    },
    "What it stands on": {
        "doctor": "Say what is missing and how to get it.",
        "lock": "Renew the master lock file of the providers.",
        "locks": "Show which states are locked, by whom, whether that holder lives, and how to release them.",
        "unlock": "Release the lock of a unit's state; refuses while the Terraform that holds it lives.",
        "state": "Make and look at the place where state lies.",
        "pool": "Keep providers and the way to AWS warm between commands.",
        "sandbox": "Start, stop and look at the AWS emulator on this machine.",
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
