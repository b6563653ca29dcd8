"""Guards of saved plans: a plan made on a copy cannot be applied outside of its run."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from ngp.rendering import exact

VARIABLE = "ngp_run"


@dataclass(frozen=True)
class PlanGuard:
    """A token that Terraform needs at plan and at apply.

    The variable for it is ephemeral, so no plan contains the token, and has no default: plain `terraform apply` of such
    a plan fails before it changes anything. This stops mistakes, not somebody who sets the variable on purpose.
    """

    # a validation of the token would not help: Terraform reports its failure, but applies the plan all the same (tried)
    token: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)

    @property
    def files(self) -> dict[str, str]:
        """Return the files that guard every plan of the root that contains them, by name."""
        variable = {"type": "string", "ephemeral": True, "description": "Given by the run of ngp that made this plan"}
        return {f"{VARIABLE}.tf.json": exact.dump({"variable": {VARIABLE: variable}})}

    @property
    def variables(self) -> dict[str, str]:
        """Return the variable and its value, for Terraform's environment."""
        return {VARIABLE: self.token}
