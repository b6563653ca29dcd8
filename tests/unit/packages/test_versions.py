"""Versions: what dpkg has beside what was deployed."""

from ngp.hosts import batching
from ngp.packages import deploying, scripts, versions
from ngp.packages.deploying import Rollout
from ngp.packages.names import DebianPackage
from ngp.packages.scripts import Claim


def deploy(machines, hosts, number, version):
    rollout = Rollout(batching.divide(hosts, ""))
    claim = Claim(number, "anna@laptop", "deploy")
    assert deploying.deploy((DebianPackage("shop", version),), rollout, claim, machines.run).is_success


def test_last_record_counts_and_a_change_past_ngp_is_seen(machines):
    hosts = machines.make("web-1", "web-2")
    deploy(machines, hosts, "d1", "1.0-1")
    deploy(machines, hosts, "d2", "1.1-1")
    (machines.at("web-2") / "installed").write_text("shop\t1.2-1\n")
    first, second = versions.collect(hosts, [], machines.run).found
    assert (first.host, first.installed, first.deployed.id, first.deployed.who) == (
        "web-1",
        "1.1-1",
        "d2",
        "anna@laptop",
    )
    assert [first.is_foreign, second.is_foreign] == [False, True]


def test_package_that_is_not_there_has_no_version(machines):
    hosts = machines.make("web-1")
    deploy(machines, hosts, "d1", "1.0-1")
    found = {one.package: one.installed for one in versions.collect(hosts, ["shop", "absent"], machines.run).found}
    assert found == {"shop": "1.0-1", "absent": ""}


def test_host_without_records_answers_with_nothing(machines):
    hosts = machines.make("web-1")
    assert versions.collect(hosts, [], machines.run) == versions.Versions((), ())


def test_host_that_does_not_answer_is_told(machines):
    hosts = machines.make("web-1", "web-2")
    (machines.at("web-2") / "dead").touch()
    (finding,) = versions.collect(hosts, [], machines.run).unreached
    assert (finding.where, finding.why, finding.todo) == ("web-2", "no answer", "start it")


def test_lines_of_anybody_else_do_not_count(machines):
    (host,) = machines.make("web-1")
    folder = machines.at(host) / "ngp"
    folder.mkdir()
    (folder / "deploys.tsv").write_text("half\ta line\n")
    (machines.at(host) / "installed").write_text("")
    assert versions.collect([host], [], machines.run).found == ()
    assert scripts.FOLDER not in str(folder)
