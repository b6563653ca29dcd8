"""What earlier runs left behind: copies of states and saved plans of a killed one, a state that was never written."""

from __future__ import annotations

from pathlib import Path

from ngp import files
from ngp.errors import Finding, NgpError
from ngp.runs import killed
from ngp.runs.killed import KilledRun

_ERRORED = "errored.tfstate"
_RUN = "[0-9]" * 8 + "-" + "[0-9]" * 6  # as `journal.new_id` begins


def sweep(workspace: Path, environment: str) -> list[KilledRun]:
    """Remove what killed runs of an environment left, for it may hold values, and return those runs.

    The environment's lock must be held. Raises LockHeldError (5) where Terraform of such a run is still at work.
    """
    for folder in ("previews", "runs"):
        files.require_no_links(workspace / folder)
    dead = killed.require_ended(workspace, environment)
    plans = [
        plan
        for verb in ("plan", "apply", "destroy")
        for plan in workspace.glob(f"runs/{_RUN}-{verb}-{environment}-????/*.plan")
    ]
    files.remove_all([workspace / "previews" / environment, *plans])
    return dead


def require_recovered(root: Path, copy: Path) -> None:
    """Raise NgpError where a unit's state could not be written and its last word still lies in the root.

    Terraform leaves it in the root itself, OpenTofu in the copy that it works on; whichever is in use now.
    """
    for folder in (root, copy):
        if (folder / _ERRORED).exists():
            what = "an earlier apply could not write its state, and what it made stands only in this file"
            raise NgpError([errored(folder / _ERRORED, what, is_copy=folder == copy)])


def errored(file: Path, what: str, *, is_copy: bool) -> Finding:
    """Return what to do about a state that could not be written and lies in `file`; only OpenTofu works on a copy."""
    push = f"terraform init && terraform state push {_ERRORED}"
    if is_copy:
        push = f"tofu init (what it says of providers does no harm), tofu state push {_ERRORED}"
    why = "a plan of the older state would make all of that again"
    return Finding(what, str(file), why, f"in {file.parent}: {push}, then remove the file")
