"""What the surroundings say, read once."""

from pathlib import Path

import pytest

from ngp import settings


@pytest.mark.parametrize(("said", "is_ci"), [("true", True), ("1", True), ("false", False), ("", False), ("0", False)])
def test_ci_is_what_the_variable_says(monkeypatch, said, is_ci):
    monkeypatch.setenv("CI", said)
    assert settings.read().is_ci is is_ci


def test_nobody_is_asked_without_a_terminal(monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    assert not settings.read().is_interactive


def test_the_cache_is_where_xdg_says(monkeypatch):
    monkeypatch.setenv("HOME", "/somewhere")
    assert settings.read().cache == Path("/somewhere/.cache/ngp")
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    assert settings.read().cache == Path("/elsewhere/ngp")


def test_what_was_read_does_not_change(monkeypatch):
    monkeypatch.setenv("NGP_TEST", "before")
    read = settings.read()
    monkeypatch.setenv("NGP_TEST", "after")
    assert read.environ["NGP_TEST"] == "before"


@pytest.mark.parametrize("name", ["TF_CLI_CONFIG_FILE", "NGP_PROVIDER_MIRROR", "AWS_CA_BUNDLE", "XDG_CACHE_HOME"])
def test_a_path_in_a_variable_is_relative_to_the_folder_of_the_shell(monkeypatch, tmp_path, name):
    monkeypatch.chdir(tmp_path)
    for said, meant in [("./ci", tmp_path / "ci"), ("../ci", tmp_path / "../ci"), ("/ci", "/ci"), ("~/ci", "~/ci")]:
        monkeypatch.setenv(name, said)
        assert settings.read().environ[name] == str(meant)
    monkeypatch.setenv(name, "")
    assert settings.read().environ[name] == ""


def test_each_folder_of_a_list_is_relative_to_the_folder_of_the_shell(monkeypatch, tmp_path):
    """An empty entry of PATH means the folder itself, as for a shell."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "bin:/usr/bin::~/bin")
    assert settings.read().environ["PATH"] == f"{tmp_path}/bin:/usr/bin:{tmp_path}:~/bin"


def test_other_variables_stay_as_they_are(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_PROFILE", "stage")
    assert settings.read().environ["AWS_PROFILE"] == "stage"
