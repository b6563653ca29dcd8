"""`ngp` as its callers run it, the small platform that it runs in, and the environment of both."""

import atexit
import io
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import pytest

from tests import prerequisites

ROOT = Path(__file__).parent.parent
_OURS = ("AWS_", "NGP_", "TF_", "XDG_", "GIT_")
_KEPT = ("AWS_CA_BUNDLE", "GIT_SSL_CAINFO")
_LOOKS = ("CI", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
CLEAN: dict[str, str] = {}  # the environment after `clean`, without what a test has set


def clean():
    """Nothing of the caller's shell reaches a test. What a test sets is gone after it (monkeypatch)."""
    for name in list(os.environ):
        if (name.startswith(_OURS) and name not in _KEPT) or name in _LOOKS:
            del os.environ[name]
    sys.dont_write_bytecode = False  # else each of 1,000 children compiles ngp again, and each worker all tests
    os.environ.update(PYTHONPATH=str(ROOT), GIT_CONFIG_NOSYSTEM="1", LC_ALL="C.UTF-8", TERM="xterm-256color")
    if prerequisites.IS_CI:
        os.environ[prerequisites.TOLD] = "1"
    for role in ("AUTHOR", "COMMITTER"):
        os.environ.update({f"GIT_{role}_NAME": "Test", f"GIT_{role}_EMAIL": "test@example.com"})
    CLEAN.update(os.environ)


def check_published(document):
    """The document, which has every key that its schema in docs/schemas names, and no other."""
    found = sorted(_validator(document["schema"]).iter_errors(document), key=lambda error: list(error.absolute_path))
    assert not found, f"{document['schema']} at {list(found[0].absolute_path)}: {found[0].message[:300]}"
    return document


@cache
def _validator(name):
    from jsonschema import Draft202012Validator

    path = ROOT / "docs" / "schemas" / f"{name.replace('/', '.')}.schema.json"
    assert path.is_file(), f"no schema is published for {name}: add it to ngp/views/schemas.py, run docs/generate.py"
    return Draft202012Validator(_closed(json.loads(path.read_text(encoding="utf-8"))))


def _closed(schema):
    """The schema without room for keys that it does not name."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: _closed(one) for key, one in schema.items()}
    return {"additionalProperties": False, **inner} if isinstance(schema.get("properties"), dict) else inner


@dataclass(frozen=True)
class Outcome:
    """What a caller of `ngp` gets."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def document(self):
        """What `--json` printed; it must be one document, nothing else, and as its published schema says."""
        return check_published(json.loads(self.stdout))


@dataclass(frozen=True)
class Ngp:
    """Runs `ngp` in `cwd`: as a child, as everybody does, or in this process, which is quicker."""

    cwd: Path

    def run(self, *argv: str, env: dict[str, str] | None = None, stdin: str | None = None, timeout=600) -> Outcome:
        done = subprocess.run(
            [sys.executable, "-m", "ngp", *argv],
            cwd=self.cwd,
            env={**os.environ, **(env or {})},
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    def start(self, *argv: str, env: dict[str, str] | None = None, output=subprocess.PIPE) -> subprocess.Popen:
        """A child that is at work, for tests that send it signals; its streams are pipes, or go to `output`."""
        return subprocess.Popen(
            [sys.executable, "-m", "ngp", *argv],
            cwd=self.cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            text=True,
        )

    def call(self, *argv: str, env: dict[str, str] | None = None) -> Outcome:
        from ngp import cli
        from ngp.cli import table

        build, out, err = _builder(), io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.chdir(self.cwd)
            patch.setattr(cli, "tree", lambda: build(table.entries))
            for name, value in (env or {}).items():
                patch.setenv(name, value)
            code = cli.run(argv)
        return Outcome(code, out.getvalue(), err.getvalue())


@cache
def _builder():
    """Return what builds the tree of commands, once for each table of commands: no command edits it."""
    from ngp import cli

    make = cli.tree
    return cache(lambda _entries: make())


def lay_platform(folder: Path) -> Path:
    """A small platform in a Git repository of its own: two units of terraform_data, nothing rendered yet."""
    return shutil.copytree(_small_platform(), folder, symlinks=True)


@cache
def _small_platform() -> Path:
    """Made once a process and copied: a copy takes a third of the time of Git's three commands."""
    home, own = Path(tempfile.mkdtemp(prefix="ngp-tests-")), os.getpid()
    atexit.register(lambda: os.getpid() == own and shutil.rmtree(home, ignore_errors=True))  # not in forks
    folder = shutil.copytree(ROOT / "tests" / "platforms" / "small", home / "platform")
    environ = {**CLEAN, "HOME": str(home)}  # not what the first test that wants one has set
    for argv in (["init", "--template="], ["add", "."], ["commit", "--message", "A small platform"]):
        subprocess.run(["git", *argv], cwd=folder, env=environ, check=True, capture_output=True)
    return folder


_ACCOUNTS = (f"8{number:011}" for number in itertools.count())


def new_account() -> str:
    """An account of the sandbox that no other test of this process uses: nobody empties a shared sandbox."""
    return next(_ACCOUNTS)


_LENT: set[str] = set()  # the ids of session sandboxes: a copy of a platform's folder names one as well


def lend_sandbox(sandbox, platform: Path) -> Path:
    """Let `platform` find the session's sandbox running: to start one costs more than most tests.

    For states on the disk, or in an account of the test's own. Return `platform`.
    """
    folder = platform / ".ngp" / "sandbox"
    folder.mkdir(parents=True)
    (folder / "sandbox").touch()  # a sandbox's folder, so ngp may delete it
    (folder / "running.json").write_text(json.dumps(asdict(sandbox)))
    _LENT.add(sandbox.id)
    return platform


def stop_sandbox(platform: Path) -> None:
    """End the sandbox that a run in `platform` may have started; one that is lent goes on."""
    from ngp.sandbox import server

    folder = platform / ".ngp" / "sandbox"
    record = folder / "running.json"
    if record.is_file() and json.loads(record.read_text())["id"] in _LENT:
        shutil.rmtree(folder)
    elif folder.exists():
        server.stop(platform / ".ngp")
