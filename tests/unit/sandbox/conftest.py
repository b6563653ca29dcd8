import boto3
import pytest


@pytest.fixture(scope="session")
def _repaired():
    """moto in this process, repaired once: a repair stays, and a second one would lie over it."""
    from ngp.sandbox import repairs

    repairs.apply()


@pytest.fixture
def client(_repaired):
    """Opens clients of the repaired moto in this process, which is empty for each test."""
    from moto import mock_aws

    keys = {"aws_access_key_id": "123456789012", "aws_secret_access_key": "sandbox"}
    with mock_aws():
        yield lambda service, **other: boto3.client(service, "eu-central-1", **(keys | other))
