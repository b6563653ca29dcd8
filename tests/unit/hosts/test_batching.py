"""Batches of hosts: who is told of those that never began."""

from threading import Event

from ngp.hosts import batching, remote
from ngp.hosts.host import Host
from ngp.hosts.logins import Login
from ngp.hosts.remote import HostResult, Options
from ngp.hosts.trust import Trust


def test_hosts_of_batches_that_never_began_are_told_as_finished(tmp_path, monkeypatch):
    def run_all(hosts, command, options, emit):
        results = [HostResult(host, 3, 0.0) for host in hosts]
        for one in results:
            emit(one)
        return results

    monkeypatch.setattr(remote, "run_all", run_all)
    batches = [[Host(name, name, "qa")] for name in ("a", "b", "c")]
    stopped = Event()
    stopped.set()
    login = Login(Trust(tmp_path, tmp_path))
    for options, expected in (
        (Options(login, fail_fast=True), [3, None, None]),
        (Options(login, stop=stopped), [None, None, None]),
    ):
        told = []
        results = batching.run(batches, "false", options, told.append)
        assert results == told
        assert [one.exit for one in told] == expected
