"""The benchmark itself: it sees what it is to measure, and goes through. How fast anything is, no test says."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.prerequisites import missing

ROOT = Path(__file__).parents[3]
DAEMON = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        held = bytearray(os.urandom(1 << 20) * 80)
        time.sleep(1.5)
    os._exit(0)
time.sleep(1)
"""
MEASURE = f"""
import sys
from bench import memory
from bench.measuring import Command, FailedError, measure, run
from pathlib import Path

memory.adopt_orphans()
command = lambda *argv, **more: Command(argv, Path.cwd(), {{}}, Path.cwd() / "log", **more)
print(measure(lambda: run(command(sys.executable, "-c", {DAEMON!r}))).peak)
""".replace(".peak", ".memory_mb")


def _python(*words, cwd):
    done = subprocess.run([sys.executable, *words], cwd=cwd, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done


def _bench(folder, *words):
    done = _python("-m", "bench", "--quick", "--out", str(folder), *words, cwd=folder)
    document = json.loads((folder / "results.json").read_text())
    assert (folder / "results.md").read_text().endswith(done.stdout.removesuffix("\n"))
    return {result["id"]: result for result in document["results"]}


def _measured(result):
    return {name for name, score in result["scores"].items() if score["samples"] and not score["failure"]}


def test_memory_of_a_process_that_left_its_parent_counts(tmp_path):
    assert float(_python("-c", MEASURE, cwd=tmp_path).stdout) > 80


def test_what_needs_no_provider_is_measured(tmp_path):
    results = _bench(tmp_path, "start", "scheduling", "contracts", "scale")
    assert {"python -c pass", "ngp --version", "ngp --help", "ngp, completion"} <= _measured(results["start"])
    assert _measured(results["scheduling"]) == {"8 units", "16 units"}
    assert {"ngp graph, first (8 units)", "ngp graph (16 units)"} <= _measured(results["graph"])
    assert _measured(results["contracts"]) == {"ngp module contracts, first", "ngp module contracts"}
    assert "ngp render --check (16 units)" in _measured(results["render-check"])


@pytest.mark.terraform
@pytest.mark.sandbox
@pytest.mark.slow
def test_plans_are_measured_beside_plain_terraform(tmp_path):
    results = _bench(tmp_path, "plans", "--units", "1")
    for name in ("plan-first", "plan-again"):
        assert {"ngp", "terraform"} <= _measured(results[name])
        for who in ("ngp", "terraform"):
            [sample] = results[name]["scores"][who]["samples"]
            assert sample["api_calls"] > 0
            assert 0 < sample["api_s"] < sample["wall_s"]
            assert sample["memory_mb"] > sample["private_mb"] > 0
            assert sample["looks"] > 0


def test_hosts_are_listed_and_reached(tmp_path):
    if not Path("/usr/sbin/sshd").is_file():
        missing("Debian's openssh-server")
    results = _bench(tmp_path, "hosts")
    assert _measured(results["host-list"]) == {"ngp, hosts.yaml", "ngp, EC2 asked before"}
    assert "ngp" in _measured(results["host-exec"])
