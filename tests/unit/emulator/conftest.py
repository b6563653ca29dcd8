import boto3
import pytest


@pytest.fixture(scope="session")
def patched():
    """Patches moto in this process once: patches stay, and a second call would patch them again."""
    from ngp_emulator import patches

    patches.apply()


@pytest.fixture(scope="session")
def aws(patched):
    """A session of boto3, which reads the model of each service once; moto's mock would open one for each test."""
    return boto3.Session()


@pytest.fixture
def client(aws, monkeypatch):
    """Opens clients of the patched moto in this process, which is empty for each test."""
    from moto import mock_aws

    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # 1,290 images, before each test and after it
    keys = {"aws_access_key_id": "123456789012", "aws_secret_access_key": "sandbox"}
    with mock_aws():
        yield lambda service, **other: aws.client(service, "eu-central-1", **(keys | other))
