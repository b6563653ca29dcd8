"""Which environment and units a command line means when it leaves the environment out."""

import json

import pytest

from ngp import cli

SMALL = 'account: "123456789012"\nregion: eu-central-1\ndomain: dev.example.com\ntarget: sandbox\n'


@pytest.fixture
def graph(house, capsys, monkeypatch):
    """Run `ngp graph` somewhere in the platform: (exit code, environment, units, stderr)."""

    def run(*words, folder=".", env=""):
        monkeypatch.chdir(house.path / folder)
        if env:
            monkeypatch.setenv("NGP_ENV", env)
        code = cli.run(["graph", *words, "--json"])
        out, err = capsys.readouterr()
        found = json.loads(out)
        return code, found.get("environment"), [each["unit"] for each in found.get("units", ())], err

    return run


@pytest.fixture
def two(house):
    units = "units: {network: {tags: [base]}, stage: {module: database}}\n"
    house.environment(SMALL + units, 'pre_tag = "demo"\npost_tag = "stage"\n', "stage")
    return house


def test_the_only_environment_is_taken_and_said(graph):
    code, environment, units, err = graph()
    assert (code, environment, units) == (0, "dev", ["network", "openvpn"])
    assert "environment: dev (the only one)" in err


def test_without_a_name_several_environments_are_an_error_with_the_ways_out(graph, two):
    code, _, _, err = graph()
    assert code == 64
    assert "the platform has dev, stage" in err
    assert "NGP_ENV" in err


def test_the_folder_chooses(graph, two):
    assert graph(folder="environments/stage")[1] == "stage"
    (two.path / "environments/dev/units/network").mkdir(parents=True)
    assert graph(folder="environments/dev/units/network")[1] == "dev"


def test_chdir_is_a_folder_too(two, capsys):
    assert cli.run(["-C", str(two.path / "environments" / "stage"), "graph", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["environment"] == "stage"


def test_the_variable_chooses(graph, two):
    assert graph(env="stage")[1] == "stage"


def test_a_name_on_the_line_wins(graph, two):
    assert graph("dev", env="stage")[1] == "dev"
    assert graph("dev", folder="environments/stage")[1] == "dev"


def test_folder_and_variable_that_disagree_are_refused(graph, two):
    code, _, _, err = graph(folder="environments/dev", env="stage")
    assert code == 64
    assert "this folder belongs to `dev`, but NGP_ENV is `stage`" in err


def test_a_variable_that_names_no_environment_is_an_error(graph, two):
    code, _, _, err = graph(env="stagee")
    assert code == 64
    assert "did you mean `stage`?" in err
    assert "NGP_ENV" in err


def test_the_first_word_may_be_a_unit(graph, two):
    assert graph("network", folder="environments/stage")[1:3] == ("stage", ["network"])
    assert graph("...network", folder="environments/dev")[1:3] == ("dev", ["network", "openvpn"])
    assert graph("tag:base", env="stage")[1:3] == ("stage", ["network"])


def test_a_word_that_names_both_is_the_environment(graph, two):
    assert graph("stage", "stage", folder="environments/stage")[1:3] == ("stage", ["stage"])


def test_a_misspelt_environment_is_never_taken_for_all_units(graph, two):
    code, _, _, err = graph("stag", folder="environments/dev")
    assert code == 64
    assert "the environment `stag` does not exist, and `dev` has no unit `stag`" in err
    assert "did you mean `stage`?" in err


def test_a_selection_reaches_every_command_that_reads(graph, two):
    assert graph("stage", "!network")[2] == ["stage"]
    code, _, _, err = graph("stage", "netw*", "!network")
    assert code == 64
    assert "selects no unit" in err


def test_validate_takes_units_of_all_environments(two, capsys, monkeypatch):
    monkeypatch.chdir(two.path)
    assert cli.run(["validate", "openvpn", "--no-terraform"]) == 0
    assert "valid: dev, stage" in capsys.readouterr().out
    assert cli.run(["validate", "opnvpn", "--no-terraform"]) == 64
    assert "the environment `opnvpn` does not exist" in capsys.readouterr().err


@pytest.mark.parametrize("units", [[], ["network"]])
def test_destroy_without_a_question_wants_the_environment_named(house, capsys, monkeypatch, units):
    monkeypatch.chdir(house.path)
    assert cli.run(["destroy", *units, "--auto-approve"]) == 64
    assert " ".join(["ngp destroy dev", *units, "--auto-approve"]) in capsys.readouterr().err


def test_state_show_takes_the_unit_alone(house, capsys, monkeypatch):
    monkeypatch.chdir(house.path)
    assert cli.run(["state", "show"]) == 64
    assert "ngp state show dev UNIT" in capsys.readouterr().err
    assert cli.run(["state", "list", "network"]) == 64
    assert "the environment `network` does not exist" in capsys.readouterr().err
