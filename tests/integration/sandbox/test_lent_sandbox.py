"""The sandbox of a session is lent to many platforms: a test that stops or empties it fails by itself."""

import os

import pytest

from ngp.sandbox import server
from tests.harness import lend_sandbox, stop_sandbox

pytestmark = pytest.mark.sandbox


@pytest.fixture
def sandbox(tmp_path):
    """One that these tests may stop."""
    yield server.start(tmp_path / "session", dict(os.environ))
    server.stop(tmp_path / "session")


def test_a_test_that_stops_or_empties_it_fails_and_the_next_one_does_not(ngp_in, sandbox, tmp_path):
    def borrow(name, *words):
        path = lend_sandbox(sandbox, tmp_path / name)
        (path / "ngp.yaml").write_text("name: small\n")
        if words:
            done = ngp_in(path).call("sandbox", *words)
            assert done.exit_code == 0, done.stderr
        stop_sandbox(path)

    borrow("good")
    for word in ("reset", "stop"):
        with pytest.raises(pytest.fail.Exception, match="has stopped or emptied the session's sandbox"):
            borrow(word, word)
        if word == "reset":
            borrow("after it")
