"""Before a run its credentials must be of the environment's account, wherever states lie in that account."""

from types import SimpleNamespace

import pytest

from ngp.environments.environment import StateKind, Target
from ngp.runs import access


@pytest.mark.parametrize(
    ("target", "state", "asked"),
    [
        (Target.AWS, StateKind.S3, ["123456789012"]),
        (Target.AWS, StateKind.LOCAL, []),
        (Target.SANDBOX, StateKind.S3, []),
        (Target.SANDBOX, StateKind.LOCAL, []),
    ],
)
def test_the_account_is_asked_for_where_states_lie_in_it(target, state, asked):
    resolved = SimpleNamespace(
        environment=SimpleNamespace(target=target, account="123456789012"), platform=SimpleNamespace(state=state)
    )
    required = []
    access.require_account(resolved, SimpleNamespace(require_account=required.append))
    assert required == asked
