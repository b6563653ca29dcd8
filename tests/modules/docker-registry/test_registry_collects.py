"""The registry's own program: while it deletes what no image names it takes reads only, and then writes again."""

import hashlib
import http.client
import os
import shutil
import socket
import subprocess
import time
from functools import partial
from pathlib import Path

import pytest

from tests.modules.swarm.boot.lab import wait_until
from tests.prerequisites import missing

SCRIPT = Path(__file__).parents[3] / "modules/docker-registry/files/serve.sh"
MISSING = [name for name in ("busybox", "docker-registry") if shutil.which(name) is None]
pytestmark = [pytest.mark.proves("real", "docker-registry"), pytest.mark.integration]
UPLOADS = "/v2/shop/web/blobs/uploads/"
LAYER = b"a layer that no image names"
DIGEST = hashlib.sha256(LAYER).hexdigest()
WINDOW_S = 6


class Copy:
    """A copy of the registry on a free port, its images in a folder."""

    def __init__(self, path):
        self.path = path
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        (path / "bin").mkdir()
        (path / "bin/registry").symlink_to(shutil.which("docker-registry"))
        (path / "http_secret").write_text("0123456789abcdef")
        (path / "config.yml").write_text(
            f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {path}/images}}}}\n"
            f"http: {{addr: '127.0.0.1:{self.port}'}}\n"
        )
        self.process = None

    def start(self, period_s):
        env = {
            **os.environ,
            "PATH": f"{self.path}/bin:{os.environ['PATH']}",
            "SECRETS": str(self.path),
            "CONFIGURATION": str(self.path / "config.yml"),
            "SLOT": "1",
            "GRACE_S": "0",
            "GC_PERIOD_S": str(period_s),
            "GC_START_S": str(int(time.time())),
            "GC_WINDOW_S": str(WINDOW_S),
        }
        with (self.path / "log").open("a") as log:
            command = ["busybox", "sh", "-c", SCRIPT.read_text()]
            self.process = subprocess.Popen(command, env=env, stdout=log, stderr=log)

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=30)

    def ask(self, method, path, body=None):
        """Status and place of an answer; 0 where nobody listens."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body, {"Content-Type": "application/octet-stream"})
            answer = connection.getresponse()
            return answer.status, answer.headers["Location"]
        except OSError:
            return 0, None
        finally:
            connection.close()

    def answers(self, status, method, path):
        return self.ask(method, path)[0] == status

    def layers(self):
        return list((self.path / "images").glob("docker/registry/v2/blobs/sha256/*/*/data"))


@pytest.fixture
def copy(tmp_path):
    if MISSING:
        missing(", ".join(MISSING))
    made = Copy(tmp_path)
    yield made
    if made.process.poll() is None:
        made.stop()


def test_what_no_image_names_is_deleted_while_nobody_can_push(copy):
    copy.start(period_s=0)
    wait_until(partial(copy.answers, 200, "GET", "/v2/"))
    place = copy.ask("POST", UPLOADS)[1].removeprefix(f"http://127.0.0.1:{copy.port}")
    assert copy.ask("PUT", f"{place}&digest=sha256:{DIGEST}", LAYER)[0] == 201
    copy.stop()
    assert [each.read_bytes() for each in copy.layers()] == [LAYER]

    copy.start(period_s=3600)
    wait_until(partial(copy.answers, 405, "POST", UPLOADS))
    wait_until(lambda: not copy.layers())
    wait_until(partial(copy.answers, 202, "POST", UPLOADS))
    assert copy.stop() == 0
