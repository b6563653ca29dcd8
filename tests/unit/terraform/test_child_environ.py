"""The environment of a Terraform process."""

from __future__ import annotations

import pytest

from ngp.errors import UsageError
from ngp.terraform import child_environ


def test_child_is_told_that_nobody_is_there_to_be_asked():
    child = child_environ.build({}, {})
    assert child == {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}


def test_no_aws_variable_of_the_shell_reaches_the_child(tmp_path):
    shell = {
        "AWS_PROFILE": "prod",
        "AWS_ENDPOINT_URL": "http://elsewhere",
        "AWS_ACCESS_KEY_ID": "real",
        "AWS_CA_BUNDLE": "/ca.pem",
        "HTTPS_PROXY": "http://proxy",
        "PATH": "/bin",
    }
    child = child_environ.build(shell, {"AWS_ACCESS_KEY_ID": "given", "AWS_REGION": "eu-west-1"})
    assert {name: value for name, value in child.items() if name.startswith("AWS_")} == {
        "AWS_CA_BUNDLE": "/ca.pem",
        "AWS_ACCESS_KEY_ID": "given",
        "AWS_REGION": "eu-west-1",
    }
    assert child["HTTPS_PROXY"] == "http://proxy"
    assert child["PATH"] == "/bin"


@pytest.mark.parametrize(
    "name",
    [
        "TF_VAR_x",
        "TF_CLI_ARGS",
        "TF_CLI_ARGS_plan",
        "TF_WORKSPACE",
        "TF_ENCRYPTION",
        "TF_REATTACH_PROVIDERS",
        "TF_DATA_DIR",
    ],
)
def test_what_would_change_a_run_is_dropped(name):
    assert name not in child_environ.build({name: "x"}, {})


@pytest.mark.parametrize("name", ["TF_LOG", "TF_PLUGIN_CACHE_DIR", "TF_TOKEN_app_terraform_io"])
def test_what_does_not_change_a_run_is_kept(name):
    assert child_environ.build({name: "x"}, {})[name] == "x"


@pytest.mark.parametrize("name", ["TF_CLI_CONFIG_FILE", "TERRAFORM_CONFIG"])
def test_configuration_file_is_kept_only_where_it_is_there(name, tmp_path):
    path = tmp_path / "terraformrc"
    assert name not in child_environ.build({name: str(path)}, {})
    path.touch()
    assert child_environ.build({name: str(path)}, {})[name] == str(path)


def test_data_folder_and_secrets_are_given(tmp_path):
    child = child_environ.build({"TF_DATA_DIR": "old"}, {}, data=tmp_path, secrets={"password": "p"})
    assert child["TF_DATA_DIR"] == str(tmp_path)
    assert child["TF_VAR_password"] == "p"


def test_every_variable_that_changes_a_run_is_refused_at_once():
    shell = dict.fromkeys(
        ["TF_VAR_b", "TF_VAR_a", "TF_CLI_ARGS", "TF_CLI_ARGS_apply", "TF_WORKSPACE", "TF_REATTACH_PROVIDERS"], "x"
    )
    with pytest.raises(UsageError) as raised:
        child_environ.require_clean(shell | {"TF_DATA_DIR": "x", "TF_LOG": "debug", "PATH": "/bin"})
    assert [finding.what for finding in raised.value.findings] == [
        f"`{name}` is set in the shell" for name in sorted(shell)
    ]
    assert all(finding.todo.startswith("unset ") and finding.why for finding in raised.value.findings)


def test_clean_shell_passes():
    child_environ.require_clean({"PATH": "/bin", "TF_DATA_DIR": "x", "AWS_PROFILE": "x"})


@pytest.mark.parametrize("word", ["-destroy", "-out=x", "--target=a", "-var=a=b", "-var-file=x", "-json", "-replace=a"])
def test_a_word_that_would_make_another_plan_cannot_be_passed_through(word):
    with pytest.raises(UsageError) as caught:
        child_environ.require_passable(["-compact-warnings", word, "-parallelism=3"])
    assert [finding.what for finding in caught.value.findings] == [f"`{word}` is not allowed after `--`"]


def test_what_is_for_terraform_alone_is_passed_through():
    child_environ.require_passable(["-compact-warnings", "-parallelism=3", "destroy"])


def test_options_that_cannot_be_passed_on_say_what_to_do_instead():
    with pytest.raises(UsageError) as caught:
        child_environ.require_passable(["-out=x", "-target=a", "-var=b=c"])
    assert [finding.why for finding in caught.value.findings] == [
        "ngp sets this option itself",
        "ngp has this option, too: pass it before `--`",
        "write values in the environment's terraform.tfvars",
    ]
