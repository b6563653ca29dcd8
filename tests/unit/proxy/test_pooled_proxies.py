"""Which runs share a pooled proxy: those with the same packages, variables and credentials, and no others."""

import asyncio
import json
from pathlib import Path

import pytest

from ngp import processes
from ngp.errors import RefusedError
from ngp.pool.proxies import Proxies
from ngp.proxy.limits import Limits

WINDOWS = ("COLUMNS", "PWD", "NGP_UNIT", "SSH_CONNECTION", "TERM_SESSION_ID", "XDG_SESSION_ID", "VSCODE_PID", "TMUX")
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIA1", "AWS_SECRET_ACCESS_KEY": "hunter2"}


def run(work):
    return asyncio.run(asyncio.wait_for(work, 60))


@pytest.fixture
def order(bench):
    bench.share()
    bench.environ |= {"HOME": str(bench.path)} | CREDENTIALS
    one = bench.package

    def make(label="dev", umask=0o022, **environ):
        packages = [{"address": one.address, "folder": str(one.folder), "hashes": one.hashes}]
        given = {name: value for name, value in (bench.environ | environ).items() if value is not None}
        return {"label": label, "packages": packages, "environ": given, "cache": str(bench.cache), "umask": umask}

    return make


class Leases:
    """Proxies in the bench's folder, and runs that each configure a provider and end."""

    def __init__(self, bench, **limits):
        self.bench = bench
        self.proxies = Proxies(bench.sockets, Limits(**limits))

    async def run(self, order):
        async with self.proxies.lease(order) as proxy, self.bench.terraform(proxy) as terraform:
            client = terraform()
            await client.ask("ConfigureProvider", b"same")
            (pid,) = proxy.pids
            return pid, await client.environ()

    @property
    def pids(self):
        return [one.pid for fleet in self.proxies.fleets for one in fleet.providers]


def test_a_later_run_finds_the_process_of_the_one_before_configured(bench, order):
    async def work():
        leases = Leases(bench)
        pids = [(await leases.run(order()))[0] for _ in range(2)]
        leases.proxies.end()
        return pids

    first, second = run(work())
    assert first == second
    assert len(bench.notes("ConfigureProvider")) == 1


def test_what_a_shell_says_of_itself_makes_no_difference(bench, order):
    async def work():
        leases = Leases(bench)
        pids = {(await leases.run(order(**{name: str(n) for name in WINDOWS})))[0] for n in range(2)}
        leases.proxies.end()
        return pids

    assert len(run(work())) == 1


def test_terminals_with_other_variables_do_not_end_each_others_processes(bench, order):
    async def work():
        leases = Leases(bench)
        pids = [(await leases.run(order(PLACE=place)))[0] for place in ("here", "there", "here", "there")]
        leases.proxies.end()
        return pids

    here, there, *again = run(work())
    assert here != there
    assert again == [here, there]


@pytest.mark.parametrize("change", [{"AWS_SECRET_ACCESS_KEY": "new"}, {"AWS_SESSION_TOKEN": "t"}, {"AWS_REGION": "x"}])
def test_changed_credentials_get_a_new_process_and_end_the_old_one(bench, order, change):
    async def work():
        leases = Leases(bench)
        old, _ = await leases.run(order())
        new, seen = await leases.run(order(**change))
        left = leases.pids
        leases.proxies.end()
        return old, new, seen, left

    old, new, seen, left = run(work())
    assert left == [new]
    assert not processes.is_alive(old)
    assert change.items() <= seen.items()


def test_credentials_that_changed_in_their_file_count_as_changed(bench, order):
    (bench.path / ".aws").mkdir()

    async def work():
        leases = Leases(bench)
        pids = []
        for text in ("[default]\nold", "[default]\nnew"):
            (bench.path / ".aws" / "credentials").write_text(text)
            pids.append((await leases.run(order()))[0])
        left = leases.pids
        leases.proxies.end()
        return pids, left

    (old, new), left = run(work())
    assert old != new
    assert left == [new]


def test_environments_with_other_credentials_never_share_and_leave_each_other_running(bench, order):
    async def work():
        leases = Leases(bench)
        dev, of_dev = await leases.run(order("dev"))
        prod, of_prod = await leases.run(order("prod", AWS_ACCESS_KEY_ID="AKIA2", AWS_SECRET_ACCESS_KEY="other"))
        again, _ = await leases.run(order("dev"))
        leases.proxies.end()
        return dev, prod, again, of_dev, of_prod

    dev, prod, again, of_dev, of_prod = run(work())
    assert dev == again != prod
    assert "AKIA1" not in json.dumps(of_prod)
    assert "AKIA2" not in json.dumps(of_dev)


def test_runs_of_another_umask_have_processes_of_their_own(bench, order):
    async def work():
        leases = Leases(bench)
        pids = [(await leases.run(order(umask=umask)))[0] for umask in (0o022, 0o077)]
        masks = [_umask(pid) for pid in pids]
        leases.proxies.end()
        return masks

    assert run(work()) == ["0022", "0077"]


def _umask(pid):
    """As the kernel tells it (proc_pid_status(5))."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith("Umask:"))


def test_a_retired_proxy_serves_the_run_that_has_it_to_the_end(bench, order):
    async def work():
        leases = Leases(bench)
        async with leases.proxies.lease(order()) as proxy, bench.terraform(proxy) as terraform:
            client = terraform()
            await client.ask("ConfigureProvider", b"same")
            await leases.run(order(AWS_SESSION_TOKEN="t"))
            answer = await client.ask("ReadResource", b"x")
            (old,) = proxy.pids
        left = leases.pids
        leases.proxies.end()
        return answer, old in left

    assert run(work()) == (b"read x", False)


def test_a_package_that_is_another_now_is_refused_though_its_process_runs(bench, order):
    async def work():
        leases = Leases(bench)
        await leases.run(order())
        (bench.package.folder / "README").write_text("changed")
        try:
            with pytest.raises(RefusedError, match="not the one that is locked"):
                await leases.run(order())
        finally:
            leases.proxies.end()

    run(work())


def test_a_proxy_that_nobody_asked_for_so_long_is_ended(bench, order):
    async def work():
        leases = Leases(bench, idle_s=0)
        pid, _ = await leases.run(order())
        await leases.proxies.tend()
        return pid, leases.proxies.fleets, [*bench.sockets.iterdir()]

    pid, fleets, folders = run(work())
    assert (fleets, folders) == ([], [])
    assert not processes.is_alive(pid)


def test_nothing_that_is_told_of_a_pool_holds_a_credential(bench, order):
    async def work():
        leases = Leases(bench)
        await leases.run(order())
        told = leases.proxies.describe()
        leases.proxies.end()
        return told

    (told,) = run(work())
    assert told["environments"] == ["dev"]
    assert [one["in_use"] for one in told["providers"]] == [False]
    assert "hunter2" not in json.dumps(told)
    assert "AKIA1" not in json.dumps(told)
