"""Examples for the help of each command and for docs/commands.md: a command line and what it does."""

from __future__ import annotations

from collections.abc import Mapping

EXAMPLES: Mapping[str, Mapping[str, str]] = {
    "init": {"ngp init my-platform": "make a platform in the folder my-platform"},
    "module list": {"ngp module list": "list the catalogue"},
    "module show": {"ngp module show swarm": "show the inputs and outputs of a module"},
    "module new": {
        "ngp module new mailbox --category base --summary 'Keeps mail.' --no-input": "make a module without questions"
    },
    "module add": {
        "ngp module add 'git::https://git.example.com/modules.git//queue?ref=v1.2.0'": "copy a module from Git",
        "ngp module add ../modules/queue --name jobs": "copy one from a folder under another name",
    },
    "module contracts": {
        "ngp module contracts --since origin/main": "list the units that a branch breaks by what modules take and give"
    },
    "module docs": {"ngp module docs --check": "list the pages that are stale"},
    "module check": {
        "ngp module check network": "check one module",
        "ngp module check --no-terraform": "check the rules of all modules, without Terraform",
    },
    "env new": {
        "ngp env new lab --sandbox --region eu-central-1 --domain lab.example.com": "make an environment to try things",
        "ngp env new prod --from stage --account 111122223333": "start with the units and values of stage",
    },
    "env list": {"ngp env list": "list the environments"},
    "env diff": {"ngp env diff stage prod": "show what nobody declared, after a promotion nothing"},
    "env promote": {
        "ngp env promote stage prod --dry-run": "show how the files of prod change",
        "ngp env promote stage prod --only openvpn --plan": "change one unit, and plan prod",
    },
    "env affected": {"ngp env affected --since origin/main --json": "list what a branch changes, for a matrix of jobs"},
    "configure": {
        "ngp configure dev": "choose modules and answer questions at a terminal",
        "ngp configure dev --module network --module swarm --dummies": "choose modules without questions",
        "ngp configure dev --set swarm.worker_count=3": "change one value",
    },
    "render": {
        "ngp render dev": "write the Terraform roots of dev",
        "ngp render --check --diff": "show what is stale, write nothing",
    },
    "validate": {"ngp validate dev": "check one environment", "ngp validate --no-terraform": "check all, quickly"},
    "secret scan": {
        "ngp secret scan": "look at all files that Git knows",
        "ngp secret scan environments/dev/terraform.tfvars": "look at one file",
    },
    "graph": {
        "ngp graph dev ...network": "show everything that needs the network",
        "ngp graph dev --format mermaid": "write a diagram",
    },
    "plan": {
        "ngp plan dev": "preview all units",
        "ngp plan dev swarm... 'monitoring-*'": "preview some units and what swarm needs",
        "ngp plan stage --affected --detailed-exitcode --json": "preview what a branch affects, in CI",
        "ngp plan dev --out change.bundle": "plan into a bundle, to be reviewed here and applied elsewhere",
        "ngp plan dev --report plan.html --report plan.xml": "write a page for reviewers, and JUnit's XML for CI",
        "ngp plan prod --out change.bundle --encrypt-to recipients.txt": "let only these people read its values",
        "ngp plan dev -- -compact-warnings": "pass an option on to Terraform",
    },
    "apply": {
        "ngp apply dev": "preview, ask once, apply",
        "ngp apply dev tag:apps -j 8": "apply the units with a tag, eight at once",
        "ngp apply change.bundle": "apply exactly what was reviewed",
        "ngp apply prod --emergency 'the site is down'": "change a protected one without a bundle, and sign for it",
        "ngp apply dev swarm -replace=module.swarm.aws_instance.manager[0]": "make one resource anew",
    },
    "explain": {
        "ngp explain dev swarm:aws_instance.manager": "plan swarm, and name the lines that change its managers",
        "ngp explain change.bundle module.network.aws_vpc.this": "ask a bundle, without Terraform",
    },
    "policy check": {
        "ngp policy check dev": "plan dev, and hold what changes to all policies",
        "ngp policy check change.bundle": "do the same with a bundle, without Terraform",
    },
    "destroy": {
        "ngp destroy dev --dry-run": "show what would go, ask nothing",
        "ngp destroy dev --out end.bundle": "plan the destruction into a bundle",
        "ngp destroy dev ...swarm": "destroy swarm and everything that needs it",
    },
    "output": {
        "ngp output dev": "show all outputs",
        "ngp output dev --name network.vpc_id --raw": "print one value",
        'eval "$(ngp output dev --format env)"': "set outputs as variables of the shell",
    },
    "bundle show": {"ngp bundle show change.bundle": "show what it would do, and what it was made from"},
    "bundle verify": {"ngp bundle verify change.bundle": "check that nothing moved since"},
    "bundle push": {"ngp bundle push change.bundle": "keep it in the state bucket"},
    "bundle fetch": {"ngp bundle fetch dev 3f9a12c4 --out change.bundle": "take it from there on another machine"},
    "bundle list": {"ngp bundle list dev": "show what is kept, and what was applied"},
    "bundle diff": {"ngp bundle diff reviewed.bundle new.bundle": "show what the new plan would do otherwise"},
    "bundle approve": {
        "ngp bundle approve prod.bundle": "sign a bundle after a look at what it changes",
        "ngp bundle approve prod.bundle --key ~/.ssh/work": "sign it with another key than Git's",
    },
    "ci plan": {
        "ngp ci plan": "check and plan what the change affects, as the pipeline does",
        "ngp ci plan prod --everything --detailed-exitcode": "look for drift, at night",
    },
    "ci apply": {"ngp ci apply": "apply the bundles of the pull request that was just merged"},
    "ci init": {
        "ngp ci init github": "write workflows that plan pull requests and apply what is merged",
        "ngp ci init gitlab --check": "list the files that are stale",
    },
    "ci matrix": {
        "ngp ci matrix --since origin/main": "list the environments that a branch affects, for GitHub",
        "ngp ci matrix --system gitlab --everything": "list all, for a nightly plan in GitLab",
    },
    "orphans": {
        "ngp orphans": "list what is left of removed units and environments",
        "ngp orphans dev": "list what is left of removed units of one environment",
    },
    "status": {"ngp status dev": "show what each unit's state holds"},
    "ready": {"ngp ready dev swarm --no-wait": "ask once whether swarm answers"},
    "host list": {
        "ngp host list dev": "list the hosts of an environment",
        "ngp host list dev/swarm --tag Role=manager": "list some of one cluster",
        "ngp host list dev --format tsv": "write columns for cut and awk",
    },
    "host name": {"ngp host name dev/swarm manager -1": "print where the first manager is reached"},
    "host export": {"ngp host export dev > ~/.ssh/config.d/dev": "let ssh know them by their names"},
    "host ssh": {
        "ngp host ssh dev/swarm manager1": "log in by words that only one host has",
        "ngp host ssh dev vpn -- -L 8080:localhost:80": "pass options on to ssh",
    },
    "host exec": {
        "ngp host exec dev/swarm -- uptime": "run a command everywhere at once",
        "ngp host exec dev --batch 10% --fail-fast -- sudo reboot": "go on only while all is well",
        "ngp host exec dev --failed -- uptime": "repeat where it failed",
    },
    "host copy": {
        "ngp host copy dev/swarm motd :/tmp/": "copy a file to every host",
        "ngp host copy dev/swarm :/etc/os-release found": "copy one from each, into a folder per host",
    },
    "host trust": {"ngp host trust dev vpn": "read the keys of a machine that was replaced"},
    "package deploy": {
        "ngp package deploy qa/web": "deploy the packages of .package-name to the hosts that are for them",
        "ngp package deploy qa shop --batch 10%": "roll out a tenth of the hosts at a time, with checks between",
        "ngp package deploy qa shop --version 1.0-1": "go back to an older version",
    },
    "package install": {"ngp package install qa htop": "install a package on every host"},
    "package versions": {"ngp package versions qa shop": "show who deployed what where, and what is there now"},
    "moltar": {"ngp moltar -version=1.0-1 qa deploy": "run a line of Moltar"},
    "doctor": {"ngp doctor": "check this machine", "ngp doctor stage": "check an account, too"},
    "lock": {"ngp lock": "renew the lock file of the providers"},
    "locks": {"ngp locks dev": "show what is locked, by whom, and whether that holder lives"},
    "unlock": {"ngp unlock dev network": "release the lock that a dead Terraform left"},
    "state bootstrap": {"ngp state bootstrap stage": "make the state bucket"},
    "state list": {"ngp state list dev": "list the states"},
    "state show": {"ngp state show dev network": "list the resources of one state"},
    "pool start": {"ngp pool start --idle 60": "keep providers warm, for an hour after their last use"},
    "pool stop": {"ngp pool stop": "end the pool"},
    "pool status": {"ngp pool status": "show what the pool keeps"},
    "sandbox start": {"ngp sandbox start": "start the sandbox"},
    "sandbox stop": {"ngp sandbox stop": "stop it; what it holds is gone"},
    "sandbox status": {"ngp sandbox status": "show its address"},
    "sandbox reset": {"ngp sandbox reset": "empty it"},
    "sandbox env": {'eval "$(ngp sandbox env)"': "let plain Terraform reach it"},
    "help": {"ngp help module new": "show the help of a command"},
    "version": {"ngp version --json": "print the versions for a program"},
}


def render(path: str) -> str:
    """Return the examples of a command (``module new``) as lines of help, "" if it has none."""
    rows = EXAMPLES.get(path, {})
    return "\n".join([f"  {line}\n      {meaning}" for line, meaning in rows.items()])
