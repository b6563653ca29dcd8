"""What a command loads: only what it needs, and nothing twice that its files have said before."""

import os
import subprocess
import sys

import pytest

PARSERS = {"pydantic", "pydantic_core", "yaml", "ruamel", "hcl2", "lark", "jinja2"}
TALK = {"rich", "questionary", "prompt_toolkit"}
CLOUD = {"boto3", "botocore", "moto"}
ROOMS = "aws cache catalogue environments files pool processes proxy rendering review runs sandbox state terraform yaml"
ENGINE = {f"ngp.{room}" for room in ROOMS.split()}
READS_NAMES = {"yaml", "ngp.yaml", "ngp.environments"}
WORK = {"asyncio", "concurrent", "ctypes", "grpclib", "http", "socket", "tempfile", "ssl"}

_PROBE = """
import sys
sys.argv = ["ngp", *sys.argv[1:]]
from ngp.__main__ import answer
try:
    sys.exit(answer())
finally:
    print("LOADED", *sys.modules)
"""


def watched(folder, *argv, **env):
    """What a command line says, and the names of packages and of rooms of ngp that it has loaded at its end."""
    done = subprocess.run(
        [sys.executable, "-c", _PROBE, *argv],
        cwd=folder,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    said, _, names = done.stdout.rpartition("LOADED")
    assert done.returncode == 0, said + done.stderr
    parts = [name.split(".") for name in names.split()]
    return said, {name[0] for name in parts} | {".".join(name[:2]) for name in parts if name[0] == "ngp"}


def loaded(folder, *argv, **env):
    return watched(folder, *argv, **env)[1]


def test_the_version_is_told_by_nothing_but_the_entrance(tmp_path):
    found = loaded(tmp_path, "--version")
    assert {name for name in found if name.startswith("ngp")} == {"ngp", "ngp.__main__", "ngp.stdio"}
    assert found & (PARSERS | TALK | CLOUD | {"typer", "typing", "pathlib"}) == set()


@pytest.mark.parametrize("argv", [["--help"], ["plan", "--help"], ["graph", "--help"], ["apply", "--help"]])
def test_help_loads_the_command_line_only(tmp_path, argv):
    assert loaded(tmp_path, *argv) & (PARSERS | TALK | CLOUD | ENGINE | WORK) == set()


@pytest.mark.parametrize(
    ("line", "completed", "may_read"),
    [("ngp pl", ["plan"], set()), ("ngp plan dev ", ["app", "base"], READS_NAMES)],
)
def test_completion_loads_the_command_line_and_what_reads_names(platform, line, completed, may_read):
    words = {"_NGP_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    said, found = watched(platform, **words)
    assert said.split() == completed
    assert found & ((PARSERS | TALK | CLOUD | ENGINE | WORK) - may_read) == set()


@pytest.mark.parametrize("argv", [["graph", "dev"], ["graph", "dev", "--json"]])
def test_a_graph_of_unchanged_files_needs_no_parser(platform, argv):
    loaded(platform, *argv)
    assert loaded(platform, *argv) & (PARSERS | TALK | CLOUD | {"ngp.proxy", "ngp.sandbox"}) == set()


def test_a_check_of_unchanged_roots_needs_no_parser_and_no_template(platform):
    loaded(platform, "render", "dev")
    found = loaded(platform, "render", "dev", "--check")
    assert found & (PARSERS | CLOUD | {"questionary", "ngp.sandbox", "ngp.runs"}) == set()


@pytest.mark.terraform
def test_a_plan_of_unchanged_files_loads_nothing_of_aws_that_it_does_not_ask(platform):
    document = platform / "environments" / "dev" / "environment.yaml"
    document.write_text(document.read_text().replace("sandbox", "aws"))  # its states lie on the disk: AWS is not asked
    loaded(platform, "render", "dev")
    loaded(platform, "plan", "dev", "base")  # the first one renders the joint root
    found = loaded(platform, "plan", "dev", "base")
    assert found & (PARSERS | CLOUD | {"questionary", "grpclib", "asyncio", "ngp.sandbox"}) == set()
