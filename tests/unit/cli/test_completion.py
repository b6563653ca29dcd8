"""The shell's completion, asked as bash asks it."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from ngp.commands import completion
from tests.harness import Ngp


@pytest.fixture
def platform(tmp_path):
    (tmp_path / "ngp.yaml").write_text("name: small\n")
    for name in ("network", "openvpn"):
        (tmp_path / "modules" / name).mkdir(parents=True)
        (tmp_path / "modules" / name / "module.yaml").write_text("title: x\ncategory: base\n")
    for name, units in (("dev", "{network: {tags: [base]}, openvpn: {}}"), ("prod", "[")):
        (tmp_path / "environments" / name).mkdir(parents=True)
        (tmp_path / "environments" / name / "environment.yaml").write_text(f"region: eu-west-1\nunits: {units}\n")
    root = tmp_path / "environments" / "dev" / "units" / "network"
    root.mkdir(parents=True)
    (root / "outputs.tf").write_text('output "vpc_id" {\n}\n')
    return tmp_path


def _asked(line):
    """What bash sets for the command that completes a line."""
    return {"_NGP_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}


def _complete(cwd, line):
    """Names for the last word of a line, from this process: a child would load ngp first."""
    done = Ngp(cwd).call(env=_asked(line))
    assert (done.exit_code, done.stderr) == (0, "")
    return done.stdout.split()


def _bash(cwd, line):
    done = subprocess.run(
        [sys.executable, "-c", "import sys; sys.argv = ['ngp']; from ngp.__main__ import main; main()"],
        cwd=cwd,
        env={**os.environ, **_asked(line)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.split()


TYPED = [
    ("ngp --ch", ["--chdir"]),
    ("ngp pl", ["plan"]),
    ("ngp plan ", ["dev", "prod"]),
    ("ngp plan dev ", ["network", "openvpn"]),
    ("ngp plan dev network ", ["openvpn"]),
    ("ngp plan dev --detailed", ["--detailed-exitcode"]),
    ("ngp --no-color plan d", ["dev"]),
    ("ngp render d", ["dev"]),
    ("ngp state boot", ["bootstrap"]),
    ("ngp plan dev !net", ["!network"]),
    ("ngp plan dev ...", ["...network", "...openvpn"]),
    ("ngp plan dev tag:", ["tag:base"]),
    ("ngp graph dev --format ", ["dot", "json", "mermaid", "text"]),
    ("ngp graph dev --format m", ["mermaid"]),
    ("ngp output dev --format t", ["table", "terraform-out", "tfvars"]),
    ("ngp output dev --name net", ["network.vpc_id"]),
    ("ngp output dev --for o", ["openvpn"]),
    ("ngp plan dev --refresh ", ["false", "true"]),
    ("ngp --log-level ", ["error", "info", "debug"]),
    ("ngp env new x --region ", ["eu-west-1"]),
    ("ngp configure dev --module n", ["network"]),
    ("ngp module new x --category ", ["base"]),
    ("ngp state bootstrap ", ["dev", "prod"]),
]


@pytest.mark.parametrize(("line", "names"), TYPED)
def test_bash_completes_what_could_stand_there(platform, line, names):
    assert _complete(platform, line) == names


def test_completing_loads_nothing_heavy(platform):
    code = "import sys; sys.argv = ['ngp']; from ngp.__main__ import answer\n"
    code += "try: answer()\nfinally: print('LOADED', *sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=platform,
        env={**os.environ, **_asked("ngp plan dev ")},
        capture_output=True,
        text=True,
        check=False,
    )
    names, _, loaded = done.stdout.partition("LOADED")
    assert names.split() == ["network", "openvpn"]
    heavy = {"boto3", "hcl2", "jinja2", "pydantic", "rich", "questionary"}
    assert heavy & {name.partition(".")[0] for name in loaded.split()} == set()


def test_the_script_for_bash_calls_ngp_back():
    done = subprocess.run(
        [sys.executable, "-m", "ngp", "--show-completion", "bash"],
        env={**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert "_NGP_COMPLETE=complete_bash" in done.stdout
    assert "complete -o default -F _ngp_completion ngp" in done.stdout


def _line(chdir=None, **params):
    root = SimpleNamespace(params={"chdir": chdir})
    return SimpleNamespace(params=params, find_root=lambda: root)


def test_environments_are_those_of_the_platform(platform, monkeypatch):
    monkeypatch.chdir(platform / "modules")
    assert completion.environments(_line(), "") == ["dev", "prod"]
    assert completion.environments(_line(), "p") == ["prod"]


def test_units_are_those_of_the_environment_named_before(platform, monkeypatch):
    monkeypatch.chdir(platform)
    assert completion.units(_line(environment="dev"), "") == ["network", "openvpn"]
    assert completion.units(_line(environment="dev", units=["network"]), "") == ["openvpn"]
    assert completion.units(_line(environment="prod"), "") == []
    assert completion.units(_line(environment="none"), "") == []
    assert completion.units(_line(), "") == []


def test_modules_are_those_of_the_platform(platform, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path.parent)
    assert completion.modules(_line(chdir=tmp_path.name), "o") == ["openvpn"]


def test_outside_a_platform_nothing_is_known_and_nothing_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert completion.environments(_line(), "") == []


def test_inside_an_environment_units_come_first_too(platform, monkeypatch):
    assert _bash(platform / "environments" / "dev", "ngp plan ") == ["dev", "network", "openvpn", "prod"]
    assert _bash(platform / "environments" / "dev", "ngp plan network ") == ["openvpn"]
    monkeypatch.setenv("NGP_ENV", "dev")
    assert _bash(platform, "ngp plan o") == ["openvpn"]


def test_commits_are_those_of_the_repository(platform):
    for words in (["init", "-q", "-b", "trunk"], ["add", "-A"], ["commit", "-qm", "x"], ["tag", "v1"]):
        subprocess.run(["git", *words], cwd=platform, check=True)
    assert _bash(platform, "ngp plan dev --since ") == ["trunk", "v1"]
    assert _bash(platform, "ngp configure dev --catalogue v") == ["v1"]
