"""The environment variables of a Terraform process, built by ngp and not inherited from the shell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ngp import errors
from ngp.errors import Finding

# They change what Terraform does, unseen by rendering and review. TF_REATTACH_PROVIDERS is one
# of them: Terraform does not check a reattached provider against the lock file. TF_DATA_DIR is not: ngp gives every
# root its own, so an inherited one is replaced and does no harm.
_REFUSED = {
    "TF_VAR_": "ngp reads values from the environment's terraform.tfvars only",
    "TF_CLI_ARGS": "it would change every call of Terraform; pass options to ngp, and Terraform's own after `--`",
    "TF_WORKSPACE": "ngp does not use workspaces: each unit has its own state",
    "TF_ENCRYPTION": "OpenTofu would write states and plans that ngp cannot read",
    "TF_REATTACH_PROVIDERS": "Terraform would not check such a provider against the lock file",
}
# Not allowed after `--`: ngp sets it itself, or the plan would differ from the one that is shown
_OWN = "ngp sets this option itself"
_BEFORE = "ngp has this option, too: pass it before `--`"
_KEPT_BACK = {
    "destroy": "use `ngp destroy`, which destroys dependent units first",
    "out": _OWN,
    "json": _OWN,
    "input": _OWN,
    "detailed-exitcode": _BEFORE,
    "target": _BEFORE,
    "replace": _BEFORE,
    "refresh": _BEFORE,
    "lock-timeout": _BEFORE,
    "var": "write values in the environment's terraform.tfvars",
    "var-file": "write values in the environment's terraform.tfvars",
}
_DROPPED = (*_REFUSED, "TF_DATA_DIR", "TF_IN_AUTOMATION", "TF_INPUT")
CONFIG_FILES = ("TF_CLI_CONFIG_FILE", "TERRAFORM_CONFIG")  # the second is an old name that still works
_KEPT_AWS = frozenset({"AWS_CA_BUNDLE"})


def require_clean(environ: Mapping[str, str]) -> None:
    """Raise one UsageError with every variable of the shell that would change a run unnoticed."""
    errors.require(
        Finding(
            f"`{name}` is set in the shell",
            where="environment",
            why=reason,
            todo=f"unset {name}",
        )
        for name in sorted(environ)
        for prefix, reason in _REFUSED.items()
        if name.startswith(prefix)
    )


def require_passable(words: Sequence[str]) -> None:
    """Raise one UsageError with every word after ``--`` that must not reach Terraform."""
    errors.require(
        Finding(f"`{word}` is not allowed after `--`", where="command line", why=_KEPT_BACK[name])
        for word in words
        if word.startswith("-") and (name := word.lstrip("-").partition("=")[0]) in _KEPT_BACK
    )


def build(
    environ: Mapping[str, str],
    aws: Mapping[str, str],
    *,
    data: Path | None = None,
    secrets: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Build the whole environment of a Terraform process.

    Of the shell's ``AWS_*`` only the CA bundle is inherited; `aws` has the others. `data` becomes TF_DATA_DIR.
    `secrets` (variable name → text) are the only values passed this way.
    """
    kept = {
        name: value
        for name, value in environ.items()
        if not name.startswith(_DROPPED) and not (name.startswith("AWS_") and name not in _KEPT_AWS)
    }
    for name in CONFIG_FILES:
        # Terraform would print a warning into every output, JSON too, for a file that is not there
        if name in kept and not Path(kept[name]).is_file():
            del kept[name]
    kept |= {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}
    if data is not None:
        kept["TF_DATA_DIR"] = str(data)
    return kept | dict(aws) | {f"TF_VAR_{name}": value for name, value in (secrets or {}).items()}
