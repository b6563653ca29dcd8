"""A line of every command, for tests that run each of them in the small platform."""

# Of every command: a line that starts Terraform, or one that does not
STARTS = {
    "module check": "module check web-site",
    "validate": "validate dev",
    "plan": "plan dev",
    "apply": "apply dev --auto-approve",
    "destroy": "destroy dev --auto-approve",
    "lock": "lock",
}
STARTS_NONE = {
    "help": "help plan",
    "version": "version",
    "init": "init ../other",
    "module list": "module list",
    "module show": "module show app",
    "module new": "module new other --category apps --summary It. --no-input",
    "module add": "module add ../nowhere",
    "module docs": "module docs",
    "env new": "env new other --no-input",
    "env list": "env list",
    "env affected": "env affected dev",
    "bundle approve": "bundle approve none.bundle --auto-approve",
    "configure": "configure dev --no-input",
    "render": "render",
    "graph": "graph dev",
    "bundle show": "bundle show change.bundle",
    "bundle verify": "bundle verify change.bundle",
    "bundle diff": "bundle diff change.bundle other.bundle",
    "output": "output dev",
    "locks": "locks dev",
    "orphans": "orphans dev",
    "unlock": "unlock dev base --auto-approve",
    "status": "status dev",
    "ready": "ready dev",
    "doctor": "doctor",
    "state bootstrap": "state bootstrap dev",
    "state list": "state list dev",
    "state show": "state show dev base",
    "pool start": "pool status --json",  # what it starts are providers: tests/integration/pool
    "pool stop": "pool stop",
    "pool status": "pool status",
    "sandbox start": "sandbox status",  # a process of its own: tests/integration/sandbox
    "sandbox stop": "sandbox stop",
    "sandbox reset": "sandbox status",
    "sandbox status": "sandbox status",
    "sandbox env": "sandbox env",
}
