"""No way from the sandbox to real AWS, and none back."""

import os

import pytest

from ngp.aws import access
from ngp.errors import RefusedError

URL = "http://127.0.0.1:4566"
SHELL = {
    "PATH": "/bin",
    "AWS_ACCESS_KEY_ID": "AKIAREAL",
    "AWS_SECRET_ACCESS_KEY": "real-secret",
    "AWS_SESSION_TOKEN": "real-token",
    "AWS_PROFILE": "production",
    "AWS_DEFAULT_PROFILE": "production",
    "AWS_CONFIG_FILE": "/home/me/.aws/config",
    "AWS_SHARED_CREDENTIALS_FILE": "/home/me/.aws/credentials",
    "AWS_ROLE_ARN": "arn:aws:iam::1:role/x",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/run/token",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.2/x",
    "AWS_REGION": "us-west-1",
    "AWS_CA_BUNDLE": "/etc/ssl/ca.pem",
    "AWS_SOMETHING_NEW": "1",
}


@pytest.fixture
def sandbox():
    return access.sandbox(SHELL | {"AWS_ENDPOINT_URL_S3": "https://s3.example"}, URL, "eu-central-1", "123456789012")


def test_sandbox_takes_nothing_from_the_shell(sandbox):
    assert not set(sandbox.values()) & {value for name, value in SHELL.items() if name.startswith("AWS_")}


def test_sandbox_has_dummy_keys_and_no_profile(sandbox):
    assert sandbox["AWS_ACCESS_KEY_ID"] == "123456789012"
    assert sandbox["AWS_SECRET_ACCESS_KEY"] == "sandbox"
    assert "AWS_SESSION_TOKEN" not in sandbox
    assert not [name for name in sandbox if "PROFILE" in name]
    assert sandbox["AWS_CONFIG_FILE"] == sandbox["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull


def test_sandbox_has_only_its_own_endpoint(sandbox):
    assert {name: value for name, value in sandbox.items() if "ENDPOINT" in name} == {"AWS_ENDPOINT_URL": URL}
    assert sandbox["AWS_EC2_METADATA_DISABLED"] == "true"


def test_sandbox_sets_exactly_these_variables(sandbox):
    assert sorted(name for name in sandbox if name.startswith("AWS_")) == [
        "AWS_ACCESS_KEY_ID",
        "AWS_CONFIG_FILE",
        "AWS_DEFAULT_REGION",
        "AWS_EC2_METADATA_DISABLED",
        "AWS_ENDPOINT_URL",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SHARED_CREDENTIALS_FILE",
    ]


@pytest.mark.parametrize(
    "make", [lambda: access.sandbox(SHELL, URL, "eu-west-1", "1"), lambda: access.real(SHELL, "eu-west-1")]
)
def test_region_is_the_environments_in_both_spellings(make):
    env = make()
    assert env["AWS_REGION"] == env["AWS_DEFAULT_REGION"] == "eu-west-1"


def test_sandbox_is_reached_past_a_proxy_whichever_spelling_is_read():
    env = access.sandbox({"NO_PROXY": "a.example, 127.0.0.1", "no_proxy": "b.example"}, URL, "eu-west-1", "1")
    assert env["NO_PROXY"] == env["no_proxy"] == "a.example,127.0.0.1,b.example,localhost"


def test_real_keeps_the_shells_credentials_and_trust():
    env = access.real(SHELL, "eu-west-1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_CA_BUNDLE"):
        assert env[name] == SHELL[name]


def test_real_lets_no_unknown_variable_of_aws_through():
    env = access.real(SHELL, "eu-west-1")
    assert "AWS_SOMETHING_NEW" not in env
    assert "AWS_DEFAULT_PROFILE" not in env
    assert "PATH" not in env


def test_real_does_not_follow_an_endpoint_that_stands_in_a_profile():
    assert access.real({}, "eu-west-1")["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] == "true"


def test_real_refuses_every_endpoint_variable_at_once():
    shell = SHELL | {"AWS_ENDPOINT_URL": URL, "AWS_ENDPOINT_URL_S3": URL}
    with pytest.raises(RefusedError) as caught:
        access.real(shell, "eu-west-1")
    assert caught.value.exit_code == 3
    assert [finding.what.split()[0] for finding in caught.value.findings] == ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"]
    assert all(finding.todo.startswith("unset AWS_ENDPOINT_URL") for finding in caught.value.findings)
