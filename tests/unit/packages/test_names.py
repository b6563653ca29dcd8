"""Names and versions by Debian's grammar; nothing else reaches a host's shell."""

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngp.errors import UsageError
from ngp.packages import names
from ngp.packages.names import DebianPackage


def test_version_counts_for_packages_that_name_none():
    assert names.parse(["shop", "api=2.0-1"], "1.2") == (DebianPackage("shop", "1.2"), DebianPackage("api", "2.0-1"))
    assert [str(one) for one in names.parse(["g++", "libc6"])] == ["g++", "libc6"]


@pytest.mark.parametrize(
    "word",
    [
        "", "a", "Shop", "shop;reboot", "$(reboot)", "`id`", "shop ", "-y", "--purge", "shop\nid", "shop/stable",
        "shop:amd64", "shop*", "^shop", "shop-", "š-hop", "shop=", "shop==1", "shop=1;id", "shop=$(id)", "shop=1 2",
        "shop=a", "shop=1:", "shop=:1", "shop=1\n", "shop=1-", "shop=-1",
    ],
)  # fmt: skip
def test_what_debian_would_not_take_is_refused(word):
    with pytest.raises(UsageError):
        names.parse([word])


def test_all_that_is_wrong_is_told_at_once():
    with pytest.raises(UsageError) as raised:
        names.parse(["A", "shop=x", "shop-"])
    assert [finding.what for finding in raised.value.findings] == [
        "`A` is not a valid package name",
        "`x` is not a valid version",
        "`shop-` is not a valid package name",
    ]


def test_no_package_and_two_versions_of_one_are_errors():
    with pytest.raises(UsageError, match="no package given"):
        names.parse([])
    with pytest.raises(UsageError, match="two versions"):
        names.parse(["shop=1", "shop=2"])
    assert names.parse(["shop", "shop"]) == (DebianPackage("shop"),)


def test_names_alone_have_no_version():
    assert names.check(["shop", "api", "shop"]) == ("shop", "api")
    with pytest.raises(UsageError):
        names.check(["shop=1"])


@given(st.text(alphabet="0123456789aZ.+~-:;$ ", max_size=12))
def test_every_version_that_is_taken_is_one_to_dpkg(text):
    try:
        names.parse(["shop"], text)
    except UsageError:
        return
    assert set(text) <= set("0123456789aZ.+~-:")


@pytest.mark.skipif(not shutil.which("dpkg"), reason="MISSING: dpkg")
@pytest.mark.parametrize("version", ["1", "1.2-3", "2:1.0~rc1+dfsg-1ubuntu0.1", "1.0-1-2", "20240101"])
def test_versions_that_dpkg_takes_are_taken(version):
    subprocess.run(["dpkg", "--validate-version", version], check=True)
    assert names.parse(["shop"], version) == (DebianPackage("shop", version),)
