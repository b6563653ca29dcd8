"""Commands that are served by a pool, and what becomes of each when the other ends."""

import json
import os
import signal
import subprocess
import sys
import textwrap

import pytest

from ngp import cache
from ngp.daemons import record
from ngp.pool import home
from ngp.proxy.session import ProxyError, open_session

# opens a session through the pool, has a provider configured, keeps a connection as Terraform does, and sleeps
OWNER = """
import asyncio, json, sys, time
from pathlib import Path
from ngp.pool import client
from ngp.proxy import rpc, session
from ngp.proxy.packages import ProviderPackage
package = ProviderPackage(sys.argv[1], Path(sys.argv[2]), (sys.argv[3],))
environ, cache = json.loads(sys.argv[4]), Path(sys.argv[5])
with client.find(Path(sys.argv[6]), environ, "dev", print).open_session([package], environ, cache) as opened:
    attached = opened.attach(Path.cwd(), [], is_apply=True)
    address = json.loads(attached.environ[session.VARIABLE])[sys.argv[1]]["Addr"]["String"]
    async def configure():
        await rpc.ask(rpc.channel(address), "/tfplugin6.Provider/ConfigureProvider", b"same")
    asyncio.run(configure())
    print(json.dumps(opened.order(order="status")), flush=True)
    time.sleep(60)
"""


def test_two_runs_are_served_by_one_process_that_outlives_both(pool, fake):
    pool.start()
    seen = []
    for _ in range(2):
        with fake.session(pool.client()) as session:
            seen.append(fake.configure(session))
    (proxy,) = pool.status().state["proxies"]
    assert seen[0] == seen[1] == [one["pid"] for one in proxy["providers"]]
    assert (proxy["environments"], proxy["sessions"]) == (["dev"], 0)
    assert pool.notes == []


def test_a_stopped_pool_lets_its_runs_end_first(pool, fake):
    made = pool.start().record
    with fake.session(pool.client()) as session:
        served = fake.configure(session)
        assert pool.stop() == 1
        assert fake.configure(session) == served  # it is served as before
        assert pool.client() is None  # but found by nobody else
    assert pool.ended([made.pid, *served])


def test_a_killed_command_leaves_no_process_of_its_own_apply(pool, fake, tmp_path):
    with open_session([fake.package], fake.environ, fake.cache) as own:
        own.attach(tmp_path, [])  # the schema is known from now on: no process is there but the apply's
    pool.start()
    words = [fake.package.address, str(fake.package.folder), fake.package.hashes[0], json.dumps(fake.environ)]
    argv = [sys.executable, "-c", textwrap.dedent(OWNER), *words, str(fake.cache), str(pool.workspace)]
    owner = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=fake.environ, cwd=tmp_path)
    pids = json.loads(owner.stdout.readline())["pids"]
    owner.kill()
    owner.communicate()
    assert pool.ended(pids)
    assert pool.status() is not None


def test_a_pool_that_ends_in_the_middle_is_told_and_the_run_goes_on_without(pool, fake):
    made = pool.start().record
    with fake.session(pool.client()) as session:
        fake.configure(session)
        os.kill(made.pid, signal.SIGKILL)
        assert pool.ended([made.pid])
        with pytest.raises(ProxyError, match="does not answer"):
            fake.configure(session)
        assert session.broken
    pool.start()


def test_what_a_pool_cannot_serve_is_served_by_a_process_of_the_runs_own(pool, fake):
    made = pool.start().record
    client = pool.client()
    os.chmod(made.folder, 0o755)  # noqa: PTH101  anybody could have put a socket there
    with fake.session(client) as session:
        fake.configure(session)
    assert "not in a private folder" in pool.notes[0]
    os.chmod(made.folder, 0o700)  # noqa: PTH101


def test_a_package_that_is_not_the_locked_one_is_refused_by_either(pool, fake):
    pool.start()
    (fake.package.folder / "README").write_text("changed")
    with pytest.raises(ProxyError, match="not the one that is locked"), fake.session(pool.client()):
        pass
    assert pool.notes == []  # it is the run that says so, once


def test_the_switch_of_the_proxy_leaves_the_pool_out(pool):
    pool.start()
    pool.environ["NGP_PROVIDER_PROXY"] = "0"
    assert pool.client() is None


def test_a_record_of_somebody_elses_making_leads_nowhere(pool):
    record.write(home(pool.workspace), record.DaemonRecord(1, str(pool.sockets / "none"), cache.program(), "now"))
    assert pool.status() is None
    assert pool.stop() is None
