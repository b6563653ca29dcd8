"""ministack behind the same interface."""

import importlib.util

import pytest

from ngp import processes
from ngp.aws import access
from ngp.aws.session import Session
from ngp.sandbox import account, seed, server

pytestmark = pytest.mark.sandbox


@pytest.mark.skipif(importlib.util.find_spec("ministack") is None, reason="MISSING: pip install -e '.[ministack]'")
def test_ministack_is_started_seeded_emptied_and_stopped_as_moto_is(tmp_path):
    workspace = tmp_path / ".ngp"
    running = server.start(workspace, engine="ministack")
    try:
        assert server.start(workspace, engine="ministack") == running
        session = Session(access.sandbox({}, running.url, "eu-central-1", "210987654321"))
        assert session.account_id() == "210987654321"
        for _ in range(2):
            seed.seed(session, region="eu-central-1", domain="demo.example", bucket="a-state-bucket")
        assert session.hosted_zone("demo.example")
        session.put_object("a-state-bucket", "key", b"value")
        assert session.object("a-state-bucket", "key") == b"value"
        for name, image in account.PARAMETERS.items():
            assert session.image(name) == image
        assert server.reset(workspace) == running
        assert session.hosted_zone("demo.example") is None
    finally:
        assert server.stop(workspace)
    assert not processes.is_alive(running.pid)
    assert [path.name for path in workspace.iterdir()] == ["sandbox.lock"]
