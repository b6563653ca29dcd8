"""Ctrl-C and a crash in the middle of an apply: the same end, plainly and through the proxy."""

import os
import signal
import threading
import uuid
from pathlib import Path

import pytest

from ngp.terraform.events import ResourceDone
from tests.comparing import require_equal
from tests.integration.proxy.lab import PROVIDER

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox, pytest.mark.slow]
TEXT = """
    resource "aws_sns_topic" "first" { name = "first" }
    resource "terraform_data" "pause" {
      depends_on = [aws_sns_topic.first]
      provisioner "local-exec" { command = "sleep 3" }
    }
    resource "aws_sns_topic" "last" {
      name       = "last"
      depends_on = [terraform_data.pause]
    }
    """


def interrupted(lab, trouble):
    """Apply, make `trouble` as soon as the first topic is there, and look at what has become of it all."""

    def visit(walk):
        walk.init()
        stop = threading.Event()

        def on_event(event):
            if isinstance(event, ResourceDone) and event.address == "aws_sns_topic.first":
                trouble(stop)

        walk.make("made", on_event, stop)
        walk.make("rest")

    seen = lab.both(visit, PROVIDER + TEXT)
    require_equal(seen)
    return next(step for step in seen[1] if step.name == "made")


def test_ctrl_c_in_the_middle_of_an_apply(lab):
    step = interrupted(lab, lambda stop: stop.set())
    made = [one["name"] for one in step.documents["state"]["resources"]]
    assert "first" in made
    assert "last" not in made


def test_provider_that_crashes_in_the_middle_of_an_apply(lab):
    mark = f"LAB_MARK={uuid.uuid4()}".encode()
    lab.extra = dict([mark.decode().split("=")])

    def kill(stop):
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                is_provider = b"terraform-provider-aws" in (folder / "cmdline").read_bytes()
                if is_provider and mark in (folder / "environ").read_bytes():
                    os.kill(int(folder.name), signal.SIGKILL)
            except OSError:
                continue

    step = interrupted(lab, kill)
    assert step.exit_code == 1
    assert "Request cancelled" in str(step.said)  # nobody was asked at the moment of the crash
