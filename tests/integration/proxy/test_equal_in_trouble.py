"""Ctrl-C and a crash in the middle of an apply: the same end, plainly and through the proxy."""

import os
import signal
import threading
import uuid
from pathlib import Path

import pytest

from ngp.terraform.driver import Watch
from ngp.terraform.events import ResourceDone

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

    def walk(terraform, root):
        seen = lab.Walk()
        terraform.init(root)
        file = lab.plan(terraform, root, seen, "first")
        stop = threading.Event()

        def on_event(event):
            if isinstance(event, ResourceDone) and event.address == "aws_sns_topic.first":
                trouble(stop)

        seen.saw("apply", terraform.apply(root, file, watch=Watch(on_event, stop)), state=lab.show(terraform, root))
        lab.apply(terraform, root, seen, "rest", lab.plan(terraform, root, seen, "second"))
        return seen.steps

    return lab.both(walk, lab.PROVIDER + TEXT)


def test_ctrl_c_in_the_middle_of_an_apply(lab):
    seen = interrupted(lab, lambda stop: stop.set())
    lab.require_equal(seen)
    apply = next(step for step in seen[1] if step[0] == "apply")
    made = [one["address"] for one in apply[4]["state"]["values"]["root_module"]["resources"]]
    assert "aws_sns_topic.first" in made
    assert "aws_sns_topic.last" not in made


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

    seen = interrupted(lab, kill)
    lab.require_equal(seen)
    apply = next(step for step in seen[1] if step[0] == "apply")
    assert apply[1] == 1
    assert "Request cancelled" in str(apply[3])  # nobody was asked at the moment of the crash
