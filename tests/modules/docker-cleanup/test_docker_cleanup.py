"""The script of docker-cleanup beside a Docker that only writes down what it was asked."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

pytestmark = [pytest.mark.proves("scripts", "docker-cleanup"), pytest.mark.integration]
SCRIPT = Path(__file__).parents[3] / "modules/docker-cleanup/files/cleanup.sh"
HEX = "0123456789abcdef" * 4
DOCKER = """#!/bin/sh
echo "$*" >> "$CALLS"
case "$*" in
"$FAILS"*) echo "Error: no" >&2; exit 1 ;;
"volume ls "*) printf '%s\\n' $VOLUMES_THERE ;;
*) echo "deleted:"; echo "Total reclaimed space: 7MB" ;;
esac
"""


class Node:
    def __init__(self, path):
        self.calls = path / "calls"
        self.calls.touch()
        (path / "docker").write_text(DOCKER)
        (path / "docker").chmod(0o755)
        self.env = {
            "PATH": f"{path}:{os.environ['PATH']}",
            "CALLS": str(self.calls),
            "FAILS": "nothing",
            "VOLUMES_THERE": "",
            "NODE": "n1",
            "KEEP_HOURS": "48",
            "ALL_IMAGES": "true",
            "VOLUMES": "false",
            "INTERVAL_S": "3600",
            "SPREAD_S": "1",
            "STEP_LIMIT_S": "20",
        }

    def start(self, *argv, **variables):
        command = ["sh", "-c", SCRIPT.read_text(), "cleanup", *argv]
        return subprocess.Popen(command, env={**self.env, **variables}, stdout=subprocess.PIPE, text=True)

    def clean(self, **variables):
        process = self.start("once", **variables)
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        return said

    def asked(self):
        return self.calls.read_text().splitlines()


@pytest.fixture
def node(tmp_path):
    return Node(tmp_path)


def test_only_what_is_old_and_not_marked_is_pruned(node):
    said = node.clean()
    old = "--filter until=48h"
    assert node.asked() == [
        f"container prune --force {old} --filter label!=ngp.keep",
        f"image prune --force --all {old} --filter label!=ngp.keep",
        f"builder prune --force --all {old}",
    ]
    assert [line.split(" ", 1)[1] for line in said.splitlines()] == [
        f"n1 {kind}: Total reclaimed space: 7MB" for kind in ("container", "image", "builder")
    ]


def test_images_with_a_name_are_kept_on_demand(node):
    node.clean(ALL_IMAGES="false")
    assert "image prune --force --filter until=48h --filter label!=ngp.keep" in node.asked()


def test_volumes_are_left_alone_unless_asked_for(node):
    node.clean(VOLUMES_THERE=HEX)
    assert not [call for call in node.asked() if call.startswith("volume")]


def test_volumes_with_a_name_are_never_removed(node):
    said = node.clean(VOLUMES="true", VOLUMES_THERE=f"data {HEX} {HEX[:-1]} {HEX}x")
    assert [call for call in node.asked() if call.startswith("volume rm")] == [f"volume rm {HEX}"]
    assert said.splitlines()[-1].endswith("n1 volume: removed 1")


@pytest.mark.parametrize("fails", ["container prune", "volume rm", "volume ls"])
def test_what_fails_keeps_nothing_else_back(node, fails):
    said = node.clean(VOLUMES="true", VOLUMES_THERE=HEX, FAILS=fails)
    assert {call.split()[0] for call in node.asked()} == {"container", "image", "builder", "volume"}
    assert ("container: not pruned: Error: no" in said) == (fails == "container prune")
    assert ("volume: removed 0" in said) == fails.startswith("volume")


def test_prune_that_hangs_is_ended(node):
    hanging = DOCKER.replace('"$FAILS"*) ', '"$FAILS"*) exec sleep 300; ')
    Path(node.env["PATH"].split(":")[0], "docker").write_text(hanging)
    said = node.clean(FAILS="image prune", STEP_LIMIT_S="1")
    assert "image: not pruned" in said
    assert "builder: Total reclaimed" in said


def test_it_cleans_again_and_again_and_stops_at_once(node):
    process = node.start(INTERVAL_S="0")
    for _ in process.stdout:
        if sum(call.startswith("builder") for call in node.asked()) > 1:
            break
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
