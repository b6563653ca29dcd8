"""Moltar's selection: environment and cluster, words that must all match, and what an ambiguous one says."""

import asyncio
from pathlib import Path

import pytest

from ngp.errors import UsageError
from ngp.hosts import exporting, openssh, selector
from ngp.hosts.exporting import ExportedHost
from ngp.hosts.host import Host, distinct
from ngp.hosts.login_failures import LoginError
from ngp.hosts.logins import Login, Logins
from ngp.hosts.selector import Selector
from ngp.hosts.trust import Trust

HOSTS = [
    Host("web-1", "i-aa1", "qa", "web", "swarm", ("a", "b"), private_address="10.0.0.1", tags={"Role": "manager"}),
    Host("web-12", "i-aa2", "qa", "web", "swarm", ("a",), private_address="10.0.0.2", tags={"Role": "worker"}),
    Host("db", "i-aa3", "qa", "data", "rds", private_address="10.0.1.3"),
    Host("web-1", "i-aa4", "prod", "web", private_address="10.9.0.1"),
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("qa", ("qa", "")), ("qa/web", ("qa", "web")), ("/web", ("", "web")), ("/", ("", "")), ("qa/", ("qa", ""))],
)
def test_selectors_are_those_of_moltar(text, expected):
    assert selector.parse(text) == Selector(*expected)


def test_a_selector_with_two_slashes_is_refused():
    with pytest.raises(UsageError):
        selector.parse("qa/web/1")


@pytest.mark.parametrize(("text", "ids"), [("qa", "123"), ("qa/web", "12"), ("/web", "124"), ("/", "1234")])
def test_a_selector_narrows(text, ids):
    assert [host.id[-1] for host in selector.narrow(HOSTS, selector.parse(text))] == list(ids)


def test_an_unknown_cluster_is_told_with_the_nearest():
    with pytest.raises(UsageError) as refused:
        selector.narrow(HOSTS, selector.parse("qa/wbe"))
    assert refused.value.findings[0].todo == "did you mean `web`?"


@pytest.mark.parametrize(
    ("tags", "unit", "packages", "ids"),
    [
        (["Role=worker"], "", [], "2"),
        ([], "swarm", [], "12"),
        ([], "", ["a"], "12"),
        ([], "", ["a", "b"], "1"),
        (["Role=worker"], "rds", [], ""),
    ],
)
def test_filters_must_all_hold(tags, unit, packages, ids):
    wanted = selector.parse_filter(tags, unit, packages)
    assert [host.id[-1] for host in selector.narrow(HOSTS, Selector(), wanted)] == list(ids)


@pytest.mark.parametrize("text", ["Role", "=x"])
def test_a_tag_needs_a_name_and_a_value(text):
    with pytest.raises(UsageError):
        selector.parse_filter([text], "", [])


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        (["10.0.1"], "3"),
        (["web", "worker"], "2"),
        (["web/manager"], "1"),
        (["i-aa4"], "4"),
        (["db"], "3"),
        (["no"], ""),
    ],
)
def test_words_must_all_match_a_part(words, ids):
    assert [host.id[-1] for host in selector.matching(HOSTS, words)] == list(ids)


def test_a_whole_name_means_that_host_although_others_contain_it():
    qa = selector.narrow(HOSTS, Selector("qa"))
    assert selector.choose(qa, ["web-1"]).id == "i-aa1"


def test_several_hosts_are_listed_and_the_first_can_be_taken():
    with pytest.raises(UsageError) as refused:
        selector.choose(HOSTS[:2], ["web"])
    assert "web-1 (i-aa1), web-12 (i-aa2)" in refused.value.findings[0].why
    assert selector.choose(HOSTS[:2], ["web"], first=True).id == "i-aa1"


def test_no_host_is_a_usage_error_that_lists_what_there_is():
    with pytest.raises(UsageError, match="no host matches `x`"):
        selector.choose(HOSTS, ["x"])
    with pytest.raises(UsageError, match="no hosts found"):
        selector.choose([], ["x"])


def test_the_only_host_needs_no_word():
    assert selector.choose(HOSTS[2:3], []).name == "db"


def test_hosts_that_share_a_name_are_told_apart_by_their_ids():
    hosts = [Host("web", "i-1", "qa"), Host("db", "i-2", "qa"), Host("web", "i-3", "qa")]
    found = distinct(hosts)
    assert [host.name for host in found] == ["web-i-1", "db", "web-i-3"]
    assert [host.id for host in found] == ["i-1", "i-2", "i-3"]


def test_names_differ_also_where_a_tag_imitates_a_name_with_an_id():
    names = [("web", "i-1"), ("web", "i-2"), ("web-i-1", "i-3"), ("web-i-1-i-1", "i-4")]
    hosts = [Host(name, number, "qa") for name, number in names]
    for found in ([host.name for host in distinct(hosts)], list(openssh.aliases(hosts).values())):
        assert len(set(found)) == 4
        assert found[1] == "web-i-2"
    assert len(distinct([hosts[0], hosts[0]])) == 2  # ends, whatever it is given


def test_a_tag_is_no_template_for_ansible_and_no_word_for_a_proxy():
    """Who may set tags in an account must not run anything on the machine of who operates it."""
    host = Host("a", "i-1", "qa", private_address="10.0.0.1", user="{{ lookup('pipe', 'id') }}")
    entries = {host: ExportedHost((Path("known"),))}
    assert exporting.inventory(entries)["all"]["hosts"] == {"a": {"ansible_host": "10.0.0.1"}}
    assert "User " not in exporting.config(entries)
    login = Login(Trust(Path("nowhere"), Path("nowhere")))

    async def log_in():
        async with Logins(login).open(host):
            pass

    with pytest.raises(LoginError, match="is not a valid user name"):
        asyncio.run(log_in())
    with pytest.raises(UsageError, match="is not a valid user name"):
        openssh.login(host, (), login)
