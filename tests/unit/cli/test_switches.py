"""Global options: before the command, behind it, and what each of them changes."""

import json
import logging
import os
import pty
import subprocess
import sys
from dataclasses import replace

import pytest

from ngp import cli, processes, settings
from ngp.cli import logs, switches
from ngp.commands import options


@pytest.fixture
def platform(tmp_path):
    (tmp_path / "ngp.yaml").write_text("name: small\n")
    (tmp_path / "environments" / "dev").mkdir(parents=True)
    (tmp_path / "modules").mkdir()
    facts = 'target: sandbox\naccount: "123456789012"\nregion: eu-central-1\ndomain: dev.example.com\n'
    (tmp_path / "environments" / "dev" / "environment.yaml").write_text(facts)
    return tmp_path


@pytest.mark.parametrize(
    "argv",
    [
        ["-C", "{}", "env", "list", "--json"],
        ["env", "-C", "{}", "list", "--json"],
        ["env", "list", "--json", "-C", "{}"],
        ["env", "list", "--chdir={}", "--json"],
    ],
)
def test_the_folder_may_be_given_anywhere(platform, capsys, argv):
    assert cli.run([word.format(platform) for word in argv]) == 0
    assert json.loads(capsys.readouterr().out)["platform"] == "small"


@pytest.fixture
def probe(monkeypatch):
    """Run `ngp env list` with words and return the context that the command saw."""
    seen = []

    def run(*argv):
        monkeypatch.setattr("ngp.commands.env.options.context", lambda: seen.append(options.CURRENT.get()) or seen[-1])
        cli.run(list(argv))
        return seen[-1]

    return run


@pytest.mark.parametrize("where", ["before", "behind"])
@pytest.mark.parametrize(
    ("flag", "read"),
    [
        ("--no-color", lambda context: context.settings.environ["NO_COLOR"] == "1"),
        ("-no-color", lambda context: context.settings.environ["NO_COLOR"] == "1"),
        ("--no-provider-proxy", lambda context: context.settings.environ["NGP_PROVIDER_PROXY"] == "0"),
        ("--no-pager", lambda context: context.settings.environ["NGP_PAGER"] == ""),
        ("--debug", lambda context: context.debug),
        ("--bell", lambda context: context.bell),
        ("-q", lambda context: context.settings.level.value == "error"),
        ("-v", lambda context: context.settings.level.value == "debug"),
        ("--log-level=debug", lambda context: context.settings.level.value == "debug"),
    ],
)
def test_a_global_option_works_on_both_sides_of_the_command(probe, flag, read, where):
    context = probe(flag, "env", "list") if where == "before" else probe("env", "list", flag)
    assert read(context)


def test_behind_the_command_only_what_is_written_counts(probe):
    context = probe("--no-color", "-q", "env", "list", "--bell")
    assert context.settings.environ["NO_COLOR"] == "1"
    assert context.settings.level.value == "error"
    assert not context.debug


def test_quiet_and_verbose_exclude_each_other(capsys):
    assert cli.run(["-q", "-v", "env", "list"]) == 64
    assert "cannot be combined" in capsys.readouterr().err


def test_help_of_a_command_does_not_repeat_them(capsys):
    assert cli.run(["plan", "--help"]) == 0
    assert "--chdir" not in capsys.readouterr().out


def test_quiet_leaves_talk_out_and_keeps_errors(platform, capsys, monkeypatch):
    monkeypatch.chdir(platform)
    assert cli.run(["graph"]) == 0
    assert "environment: dev" in capsys.readouterr().err
    assert cli.run(["graph", "-q"]) == 0
    assert capsys.readouterr().err == ""
    assert cli.run(["graph", "none", "-q"]) == 64
    assert "error:" in capsys.readouterr().err


def test_verbose_shows_processes_without_credentials_and_ends_with_the_command(platform, capsys):
    address = "git::https://127.0.0.1:1/none.git//m?ref=v1"
    cli.run(["-C", str(platform), "module", "add", address, "-v"])
    assert "debug: start git" in capsys.readouterr().err
    logs.configure(replace(settings.read(), environ={"NGP_LOG_LEVEL": "debug"}))
    processes.run(
        processes.ProcessRequest(("true", "https://user:hunter2@host/x"), platform, {"PATH": "/usr/bin:/bin"})
    )
    logs.reset()
    assert "start true https://host/x" in capsys.readouterr().err
    logging.getLogger("ngp.processes").debug("after")
    assert capsys.readouterr().err == ""


def test_a_json_document_stays_whole_at_any_level(platform, capsys):
    for level in ("error", "info", "debug"):
        assert cli.run(["-C", str(platform), "graph", "dev", "--json", "--log-level", level]) == 0
        assert json.loads(capsys.readouterr().out)["environment"] == "dev"


@pytest.mark.parametrize(("flags", "rings"), [(["--bell"], True), ([], False)])
def test_the_bell_rings_at_the_end_on_a_terminal(platform, flags, rings):
    ours, theirs = pty.openpty()
    argv = [sys.executable, "-m", "ngp", "env", "list", *flags]
    done = subprocess.run(argv, cwd=platform, stderr=theirs, stdout=subprocess.DEVNULL, check=False)
    os.close(theirs)
    os.set_blocking(ours, False)
    try:
        written = os.read(ours, 4096)
    except OSError:
        written = b""
    os.close(ours)
    assert done.returncode == 0
    assert (b"\a" in written) is rings


def test_the_bell_is_silent_without_a_terminal(platform, capsys):
    assert cli.run(["-C", str(platform), "env", "list", "--bell"]) == 0
    assert "\a" not in capsys.readouterr().err


def test_every_global_option_changes_something():
    root = cli.tree()
    names = {option.name for option in switches_of(root)}
    assert names == {name for name, _ in switches._FLAGS} | {"chdir", "debug", "bell", "log_level"}


def switches_of(root):
    from ngp.cli import loading

    return loading.options(root)
