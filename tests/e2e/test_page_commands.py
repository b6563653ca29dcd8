"""The command lines of the pages, run as they stand there, in a copy of this platform.

Lines of a ```console block that begin with `$ ` (or `> `, which goes on) are run in order, a page in one shell. What
else stands in such a block must occur in what they write; `…` stands for anything. Other blocks are not run.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/bootstrapping.md", "docs/modules.md", "docs/sandbox.md")
FOLDERS = ("modules", "templates", "environments")
FILES = ("ngp.yaml", "terraform.tfvars.dummy", ".terraform.lock.hcl", ".gitignore")
WORDS = {"$ ": "command", "> ": "command"}


def console(text):
    """(line number, "command" or "output", text) of every line in a console block."""
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            inside = line == "```console"
        elif inside:
            kind = WORDS.get(line[:2], "output")
            yield number, kind, line[2:] if kind == "command" else line


def script(text):
    """A shell script whose line numbers are those of the page."""
    commands = {number: line for number, kind, line in console(text) if kind == "command"}
    return "\n".join(commands.get(number, "") for number in range(1, len(text.splitlines()) + 1))


@pytest.fixture(scope="module")
def shell(tmp_path_factory, ngp_in):
    """`shell(script) -> exit code, what it wrote`, in the copied platform; `ngp` and `terraform` are on its PATH."""
    home = tmp_path_factory.mktemp("pages")
    platform = home / "platform"
    platform.mkdir()
    for name in FOLDERS:
        shutil.copytree(ROOT / name, platform / name, ignore=shutil.ignore_patterns(".terraform", "wired.*"))
    for name in FILES:
        shutil.copy2(ROOT / name, platform / name)
    for argv in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "The platform"]):
        subprocess.run(["git", *argv], cwd=platform, check=True, capture_output=True)
    programs = lay_programs(home / "bin")
    environ = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "160", **mirrored(home)}

    def run(text):
        argv = ["bash", "-Eeuo", "pipefail", "-c", f"trap 'echo \"failed: line $LINENO\" >&2' ERR; {text}"]
        done = subprocess.run(
            argv,
            cwd=platform,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=840,
        )
        return done.returncode, re.sub(r"\x1b\[[\d;]*m", "", done.stdout)

    yield run
    ngp_in(platform).run("sandbox", "stop")


def lay_programs(folder):
    """What an installed ngp has beside it: its command, and Terraform where only the package is there."""
    folder.mkdir()
    programs = {"ngp": "-m ngp"}
    if shutil.which("terraform") is None:
        programs["terraform"] = f"-P {ROOT / 'ngp' / 'terraform' / 'bundled.py'}"
    for name, argv in programs.items():
        (folder / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {argv} "$@"\n')
        (folder / name).chmod(0o755)
    return folder


def mirrored(home):
    """A HOME in which Terraform finds its providers in the mirror that ngp finds, where there is one.

    The packages are linked into the folder that Terraform reads without configuration: told of a mirror by a
    configuration file, ngp would leave its providers to Terraform, and start them anew for each call.
    """
    from ngp.terraform import binary, lockfile, mirror

    found = binary.find("", ">= 1.11.0", os.environ, cwd=home, cache=home / "cache")
    places = mirror.Places(os.environ, home, home / "cache")
    lock = lockfile.load(ROOT / lockfile.NAME)
    source = mirror.find(lock, found.platform, places)
    if source is None or source.folder is None:
        return {}
    for locked in lock:
        package = mirror.package(source.folder, locked, found.platform)
        link = home / ".terraform.d" / "plugins" / package.relative_to(source.folder)
        link.parent.mkdir(parents=True)
        link.symlink_to(package)
    return {"HOME": str(home)}


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_command_lines_of_the_page_work_and_show_what_it_says(page, shell):
    text = (ROOT / page).read_text(encoding="utf-8")
    exit_code, said = shell(script(text))
    assert exit_code == 0, f"{page}: {failed_at(text, said)}\n{said[-4000:]}"
    shown = [(number, line) for number, kind, line in console(text) if kind == "output" and line.strip()]
    missing = [f"{page}:{number}: {line}" for number, line in shown if not occurs(line, said)]
    assert missing == [], said


def occurs(line, text):
    return re.search(".*".join(map(re.escape, line.split("…"))), text) is not None


def failed_at(text, said):
    """The page's line that failed, as the shell tells it."""
    found = re.search(r"^failed: line (\d+)$", said, re.MULTILINE)
    return f"line {found[1]}: {text.splitlines()[int(found[1]) - 1]}" if found else "no line is known"


def test_failing_command_is_told_with_its_line_of_the_page(shell):
    text = "A page.\n\n```console\n$ true\n$ (\n>   cd /\n>   false\n> )\nnothing\n$ echo not reached\n```\n"
    exit_code, said = shell(script(text))
    assert exit_code == 1
    assert failed_at(text, said) == "line 7: >   false"
    assert "not reached" not in said


def test_blocks_of_other_kinds_are_not_run():
    assert script("```text\n$ false\n```\n```console\n$ true\nfalse\n```\n").split() == ["true"]
