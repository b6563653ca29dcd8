"""What the options of a line ask for: a bundle, none, or what cannot be."""

from datetime import timedelta

import pyrage
import pytest

from ngp.errors import UsageError
from ngp.runs.bundle import requests
from ngp.runs.bundle.requests import BundleOptions


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90m", timedelta(minutes=90)), ("24h", timedelta(hours=24)), ("30d", timedelta(days=30))],
)
def test_durations(text, expected):
    assert requests.parse_duration(text) == expected


@pytest.mark.parametrize("text", ["", "5", "5x", "0h", "-1h", "31d", "99999m9"])
def test_what_is_no_duration_or_too_long_is_refused(text):
    with pytest.raises(UsageError, match="--expires"):
        requests.parse_duration(text)


def test_without_a_file_there_is_no_bundle_and_no_option_of_one(surroundings, tmp_path):
    assert requests.prepare(BundleOptions("", "24h", "", None), surroundings, tmp_path) is None
    with pytest.raises(UsageError, match="`--expires` works only with `--out`"):
        requests.prepare(BundleOptions("", "3d", "", None, limits_time=True), surroundings, tmp_path)


def test_what_would_be_encrypted_needs_a_file(surroundings, tmp_path):
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    with pytest.raises(UsageError, match="`--encrypt-to` works only with `--out`"):
        requests.prepare(BundleOptions("", "24h", "", [recipient]), surroundings, tmp_path)
    found = requests.prepare(BundleOptions("x.bundle", "24h", "", [recipient]), surroundings, tmp_path)
    assert [one.text for one in found.recipients] == [recipient]


def test_the_file_may_be_new_or_a_bundle(surroundings, tmp_path, bundle):
    for name in ("new.bundle", bundle.name):
        found = requests.prepare(BundleOptions(name, "3d", "", None), surroundings, tmp_path)
        assert (found.out, found.word, found.expires) == (tmp_path / name, name, timedelta(days=3))
        assert found.statement is None
    (tmp_path / "text").write_text("hello")
    for name in ("text", "keys", "nowhere/new.bundle"):
        (tmp_path / "keys").mkdir(exist_ok=True)
        with pytest.raises(UsageError):
            requests.require_writable(name, tmp_path)


def test_a_word_with_an_ending_is_a_bundle_and_an_environment_is_not(platform):
    (platform / "dev").write_text("a file of an environment's name")
    (platform / "saved").write_text("a file without an ending")
    assert requests.find(platform, "change.bundle") == platform / "change.bundle"
    assert requests.find(platform, "saved") == platform / "saved"
    for word in ("", "dev", "prod", "swarm...", "...swarm"):
        assert requests.find(platform, word) is None


def test_a_bundle_takes_no_units_and_no_options_for_terraform(mocker, tmp_path):
    find = mocker.patch.object(requests, "find", return_value=tmp_path / "dev.bundle")
    assert requests.find_whole(tmp_path, "dev.bundle", (), ()) == tmp_path / "dev.bundle"
    with pytest.raises(UsageError, match="as a whole"):
        requests.find_whole(tmp_path, "dev.bundle", ["app"], ())
    with pytest.raises(UsageError, match="no options for Terraform"):
        requests.find_whole(tmp_path, "dev.bundle", (), ["-compact-warnings"])
    find.return_value = None
    assert requests.find_whole(tmp_path, "dev", ["app"], ["-compact-warnings"]) is None
