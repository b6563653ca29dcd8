"""Examples for the help of each command and for docs/commands.md: a command line and what it does."""

from __future__ import annotations

from collections.abc import Mapping

EXAMPLES: Mapping[str, Mapping[str, str]] = {
    "init": {"ngp init my-platform": "create a platform in the folder my-platform"},
    "module list": {"ngp module list": "list the catalogue"},
    "module show": {"ngp module show swarm": "show the inputs and outputs of a module"},
    "module new": {
        "ngp module new mailbox --category base --summary 'Keeps mail.' --no-input": "create a module without questions"
    },
    "module add": {
        "ngp module add 'git::https://git.example.com/modules.git//queue?ref=v1.2.0'": "copy a module from Git",
        "ngp module add ../modules/queue --name jobs": "copy a module from a folder, under another name",
    },
    "module contracts": {"ngp module contracts --since origin/main": "list the units that a branch breaks"},
    "module docs": {"ngp module docs --check": "list the pages that are stale"},
    "module check": {
        "ngp module check network": "check one module",
        "ngp module check --no-terraform": "check the rules of all modules, without Terraform",
    },
    "env new": {
        "ngp env new lab --sandbox --region eu-central-1 --domain lab.example.com": "create a sandbox environment",
        "ngp env new prod --from stage --account 111122223333": "copy the units and values of stage",
    },
    "env list": {"ngp env list": "list the environments"},
    "env diff": {"ngp env diff stage prod": "list undeclared differences; after a promotion there are none"},
    "env promote": {
        "ngp env promote stage prod --dry-run": "show how the files of prod would change",
        "ngp env promote stage prod --only openvpn --plan": "change one unit, and plan prod",
    },
    "env affected": {
        "ngp env affected --since origin/main --json": "list the units that a branch affects, for a matrix of jobs"
    },
    "configure": {
        "ngp configure dev": "choose modules and answer questions at a terminal",
        "ngp configure dev --module network --module swarm --dummies": "choose modules without questions",
        "ngp configure dev --set swarm.worker_count=3": "change one value",
    },
    "render": {
        "ngp render dev": "write the Terraform roots of dev",
        "ngp render --check --diff": "show what is stale, but write nothing",
    },
    "validate": {"ngp validate dev": "check one environment", "ngp validate --no-terraform": "check all, quickly"},
    "secret scan": {
        "ngp secret scan": "check all files that Git knows",
        "ngp secret scan environments/dev/terraform.tfvars": "check one file",
    },
    "graph": {
        "ngp graph dev ...network": "show everything that needs the network",
        "ngp graph dev --format mermaid": "write a diagram",
    },
    "plan": {
        "ngp plan dev": "plan all units",
        "ngp plan dev swarm... 'monitoring-*'": "plan some units and what swarm needs",
        "ngp plan stage --affected --detailed-exitcode --json": "plan what a branch affects, in CI",
        "ngp plan dev --out change.bundle": "plan into a bundle, for a review here and an apply elsewhere",
        "ngp plan dev --report plan.html --report plan.xml": "write a page for reviewers, and JUnit XML for CI",
        "ngp plan prod --out change.bundle --encrypt-to recipients.txt": "let only these people read the values",
        "ngp plan dev -- -compact-warnings": "pass an option to Terraform",
    },
    "apply": {
        "ngp apply dev": "plan, ask once, apply",
        "ngp apply dev tag:apps -j 8": "apply the units with a tag, eight at a time",
        "ngp apply change.bundle": "apply exactly the reviewed plan",
        "ngp apply prod --emergency 'the site is down'": "change a protected environment in an emergency",
        "ngp apply dev swarm -replace=module.swarm.aws_instance.manager[0]": "replace one resource",
    },
    "explain": {
        "ngp explain dev swarm:aws_instance.manager": "plan swarm, and show the lines that change its managers",
        "ngp explain change.bundle module.network.aws_vpc.this": "explain a change in a bundle, without Terraform",
    },
    "policy check": {
        "ngp policy check dev": "plan dev, and check the changes against all policies",
        "ngp policy check change.bundle": "do the same with a bundle, without Terraform",
    },
    "destroy": {
        "ngp destroy dev --dry-run": "show what would be destroyed, without a question",
        "ngp destroy dev --out end.bundle": "plan the destruction into a bundle",
        "ngp destroy dev ...swarm": "destroy swarm and everything that needs it",
    },
    "output": {
        "ngp output dev": "show all outputs",
        "ngp output dev --name network.vpc_id --raw": "print one value",
        'eval "$(ngp output dev --format env)"': "set outputs as variables of the shell",
    },
    "bundle show": {"ngp bundle show change.bundle": "show what the bundle would do, and what it was made from"},
    "bundle verify": {"ngp bundle verify change.bundle": "check that nothing changed since"},
    "bundle push": {"ngp bundle push change.bundle": "upload the bundle to the state bucket"},
    "bundle fetch": {"ngp bundle fetch dev 3f9a12c4 --out change.bundle": "download it on another machine"},
    "bundle list": {"ngp bundle list dev": "show the stored bundles, and which were applied"},
    "bundle diff": {"ngp bundle diff reviewed.bundle new.bundle": "show how the new plan differs"},
    "bundle approve": {
        "ngp bundle approve prod.bundle": "review what a bundle changes, then sign it",
        "ngp bundle approve prod.bundle --key ~/.ssh/work": "sign with another key than Git's",
    },
    "ci plan": {
        "ngp ci plan": "check and plan what the change affects, as the pipeline does",
        "ngp ci plan prod --everything --detailed-exitcode": "find drift, at night",
    },
    "ci apply": {"ngp ci apply": "apply the bundles of the merged pull request"},
    "ci init": {
        "ngp ci init github": "write workflows that plan pull requests and apply merged ones",
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
    "status": {"ngp status dev": "show each unit's state"},
    "ready": {"ngp ready dev swarm --no-wait": "check once whether swarm answers"},
    "host list": {
        "ngp host list dev": "list the hosts of an environment",
        "ngp host list dev/swarm --tag Role=manager": "list some hosts of one cluster",
        "ngp host list dev --format tsv": "print columns for cut and awk",
    },
    "host name": {"ngp host name dev/swarm manager -1": "print the address of the first manager"},
    "host export": {"ngp host export dev > ~/.ssh/config.d/dev": "let ssh find the hosts by name"},
    "host ssh": {
        "ngp host ssh dev/swarm manager1": "log in to the host that matches this word",
        "ngp host ssh dev vpn -- -L 8080:localhost:80": "pass options to ssh",
    },
    "host exec": {
        "ngp host exec dev/swarm -- uptime": "run a command on all hosts in parallel",
        "ngp host exec dev --batch 10% --fail-fast -- sudo reboot": "stop after the first batch that fails",
        "ngp host exec dev --failed -- uptime": "repeat the command where it failed",
        "ngp host exec dev --batch 10% --dry-run -- sudo reboot": "show the hosts, and the batch of each",
    },
    "host copy": {
        "ngp host copy dev/swarm motd :/tmp/": "copy a file to every host",
        "ngp host copy dev/swarm :/etc/os-release found": "copy a file from every host, into a folder per host",
    },
    "host trust": {"ngp host trust dev vpn": "read the keys of a machine that was replaced"},
    "package deploy": {
        "ngp package deploy qa/web": "deploy the packages in .package-name to the hosts with their tag",
        "ngp package deploy qa shop --batch 10%": "deploy to a tenth of the hosts at a time, with checks in between",
        "ngp package deploy qa shop --version 1.0-1": "go back to an older version",
    },
    "package install": {"ngp package install qa htop": "install a package on every host"},
    "package versions": {
        "ngp package versions qa shop": "show the installed and the last deployed version on each host"
    },
    "moltar": {"ngp moltar -version=1.0-1 qa deploy": "run a Moltar command line"},
    "doctor": {"ngp doctor": "check this machine", "ngp doctor stage": "also check an account"},
    "lock": {"ngp lock": "renew the lock file of the providers"},
    "locks": {"ngp locks dev": "show what is locked, by whom, and whether the holder still runs"},
    "unlock": {"ngp unlock dev network": "release the lock that a dead Terraform left"},
    "state bootstrap": {"ngp state bootstrap stage": "create the state bucket"},
    "state list": {"ngp state list dev": "list the states"},
    "state show": {"ngp state show dev network": "list the resources of one state"},
    "pool start": {"ngp pool start --idle 60": "keep providers running for an hour after their last use"},
    "pool stop": {"ngp pool stop": "stop the pool"},
    "pool status": {"ngp pool status": "show what the pool keeps running"},
    "sandbox start": {"ngp sandbox start": "start the sandbox"},
    "sandbox stop": {"ngp sandbox stop": "stop it, and lose its content"},
    "sandbox status": {"ngp sandbox status": "show its URL"},
    "sandbox reset": {"ngp sandbox reset": "delete its content"},
    "sandbox env": {'eval "$(ngp sandbox env)"': "let plain Terraform use the sandbox"},
    "help": {"ngp help module new": "show the help of a command"},
    "version": {"ngp version --json": "print the versions for a program"},
}


def render(path: str) -> str:
    """Return the examples of a command (``module new``) as lines of help, "" if it has none."""
    rows = EXAMPLES.get(path, {})
    return "\n".join([f"  {line}\n      {meaning}" for line, meaning in rows.items()])
