"""What a process takes: all of it, and what of it no file stands behind."""

import os
import signal
import subprocess
import sys

from bench import memory

CHILD = """
import mmap, sys
own = bytearray(b"x" * (40 << 20))
with open(sys.argv[1], "rb") as file:
    mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
mapped.find(b"y")
print("ready", flush=True)
sys.stdin.read()
"""


def test_pages_of_a_file_are_memory_but_not_private(tmp_path):
    (tmp_path / "file").write_bytes(b"x" * (60 << 20))
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path / "file")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with child:
        child.stdout.readline()
        taken = memory._taken(child.pid)
        child.stdin.close()
    assert taken.all_kb >= 100 << 10
    assert 40 << 10 <= taken.private_kb < 60 << 10


def test_a_process_that_has_ended_takes_nothing():
    child = subprocess.Popen(["true"])
    child.wait()
    assert memory._taken(child.pid) == memory.Taken()


def test_a_child_that_is_yet_to_become_its_program_takes_nothing():
    pid = os.fork()
    if pid == 0:
        signal.pause()
    try:
        assert memory._taken(pid) == memory.Taken()
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
