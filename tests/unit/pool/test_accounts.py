"""What the pool keeps of AWS: sessions that can sign in, and objects for those alone who could read them."""

import pytest

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
