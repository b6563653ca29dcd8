"""What the pool keeps of AWS: sessions that can sign in, and objects for those alone who could read them."""

import io

import pytest

from ngp.aws.failures import UnchangedError, UnsignedError
from ngp.aws.session import Session
from ngp.errors import MissingError
from ngp.pool import values
from ngp.pool.accounts import Accounts

KEYS = {"AWS_ACCESS_KEY_ID": "AKIA1", "AWS_SECRET_ACCESS_KEY": "s"}


def order(operation="get_caller_identity", service="sts", env=KEYS, **parameters):
    return {
        "surroundings": {"HOME": "/nowhere"},
        "env": env,
        "profile": "",
        "role": None,
        "service": service,
        "operation": operation,
        "absent": [],
        "parameters": values.encode(parameters),
    }


@pytest.fixture
def accounts():
    return Accounts({"HOME": "/nowhere"})


def test_a_session_that_could_not_sign_in_is_not_kept(accounts, mocker):
    called = mocker.patch.object(Session, "call", side_effect=[MissingError("AWS does not accept the credentials"), {}])
    assert accounts.answer(order())["failure"] == MissingError.code
    assert accounts.describe()["sessions"] == 0
    assert accounts.answer(order()) == {"answer": {}}
    assert (called.call_count, accounts.describe()["sessions"]) == (2, 1)


def test_a_sign_in_that_the_pool_cannot_make_is_the_commands_own_to_try(accounts, mocker):
    mocker.patch.object(Session, "call", side_effect=UnsignedError("there are no AWS credentials"))
    assert accounts.answer(order())["gone"] == "there are no AWS credentials, as the pool sees it"
    assert accounts.describe()["sessions"] == 0


def test_a_process_that_gives_credentials_may_need_what_only_the_command_has(accounts, tmp_path):
    config = tmp_path / "config"
    config.write_text("[default]\ncredential_process = false\n")
    env = {"AWS_REGION": "eu-central-1", "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": str(config)}
    assert "no AWS credentials" in accounts.answer(order(env=env))["gone"]


@pytest.fixture
def bucket(mocker):
    """Objects of 900 bytes by AWS's own count; returns what was asked with an ETag."""
    known = []

    def call(_, __, ___, *, IfNoneMatch="", **parameters):  # noqa: N803
        if IfNoneMatch:
            known.append(parameters["Key"])
            raise UnchangedError
        return {"ETag": "e", "ContentLength": 900, "Body": io.BytesIO(b"x" * 900)}

    mocker.patch.object(Session, "call", call)
    return known


def read(accounts, key, env=KEYS):
    answer = accounts.answer(order("get_object", "s3", env, Bucket="b", Key=key))
    assert values.decode(answer["answer"])["Body"].read() == b"x" * 900


def test_an_object_is_given_again_to_nobody_with_other_credentials(accounts, bucket):
    read(accounts, "state")
    read(accounts, "state", KEYS | {"AWS_SECRET_ACCESS_KEY": "other"})
    assert bucket == []
    read(accounts, "state")
    assert bucket == ["state"]


def test_what_is_held_keeps_to_the_limit_as_it_lies_in_memory(accounts, bucket, mocker):
    mocker.patch("ngp.pool.accounts._MOST_BYTES", 2000)  # two by AWS's count, one as it is held
    for key in ("one", "two", "two"):
        read(accounts, key)
    assert accounts.describe()["objects"] == 1
    assert bucket == ["two"]
    mocker.patch("ngp.pool.accounts._MOST_BYTES", 1000)
    read(accounts, "three")
    assert accounts.describe()["objects"] == 0
