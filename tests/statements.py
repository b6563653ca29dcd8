"""What bundles state, for tests that plan nothing."""

from datetime import UTC, datetime, timedelta

from ngp.runs.bundle.statement import BinaryFact, Statement


def make(environment="prod", **more):
    """The statement of a bundle that is valid for an hour, of a plan to apply an environment; `more` are its fields."""
    now = datetime.now(UTC).replace(microsecond=0)
    stated = {
        "verb": "apply",
        "run_id": f"20261130-020000-plan-{environment}-a1f4",
        "platform": "demo",
        "environment": environment,
        "target": "aws",
        "account": "123456789012",
        "region": "eu-central-1",
        "maker": "maker@example.com",
        "created": now - timedelta(hours=1),
        "expires": now + timedelta(hours=1),
        "ngp": "1.0",
        "terraform": BinaryFact("terraform", "1.14.0", "ab" * 32),
        "lock": "cd" * 32,
        "lineage": "x",
    }
    return Statement(**{**stated, **more})
