"""The modules of another commit, for an environment whose catalogue is pinned to one."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ngp import processes, settings
from ngp.catalogue import loading
from ngp.catalogue.module import Catalogue
from ngp.environments.environment import Environment, Platform
from ngp.errors import MissingError, UsageError

Env = Mapping[str, str]

_TIMEOUT_S = 120.0
# By these a hook or a shell points Git at another repository, index or work tree.
_ELSEWHERE = frozenset(
    {
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_COMMON_DIR",
        "GIT_PREFIX",
        "GIT_OBJECT_DIRECTORY",
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_NAMESPACE",
    }
)


def resolve(platform: Platform, ref: str) -> str:
    """The commit (40 hex digits) that a Git ref names; UsageError where there is none with modules."""
    commit = find(platform, ref)
    if commit is None:
        todo = "fetch it, or name one that `git log` shows"
        raise UsageError(f"Git knows no commit `{ref}`", where=str(platform.path), todo=todo)
    if git(platform, "cat-file", "-e", f"{commit}:./modules").exit_code:
        raise UsageError(f"the commit `{ref}` has no modules/", where=str(platform.path))
    return commit


def find(platform: Platform, ref: str) -> str | None:
    """The commit that a Git ref names, None where Git knows none."""
    if ref.startswith("-"):
        return None
    outcome = git(platform, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    return outcome.stdout.strip() if outcome.exit_code == 0 else None


def load_catalogue(platform: Platform, environment: Environment) -> Catalogue:
    """The modules that an environment uses, read through the platform's cache of facts."""
    return loading.load(catalogue_path(platform, environment), platform.cache)


def catalogue_path(platform: Platform, environment: Environment) -> Path:
    """The folder that holds the environment's modules.

    For a pinned catalogue that is a copy of the commit's modules below .ngp, made once; where Git does not know the
    commit (a shallow clone), it is the copies that were rendered into the environment.
    """
    if not environment.catalogue:
        return platform.path / "modules"
    rendered = environment.path / "modules"
    commit = find(platform, environment.catalogue)
    if commit is not None:
        return _materialise(platform, commit)
    if rendered.is_dir():
        return rendered
    raise UsageError(
        f"Git knows no commit `{environment.catalogue}`, and {rendered} holds no copy of its modules",
        where=environment.where("catalogue"),
        todo=f"fetch it, or choose another: ngp configure {environment.name} --catalogue REF",
    )


def pinned_modules(platform: Platform, ref: str) -> Mapping[Path, bytes]:
    """The files below modules/ of a commit, by path relative to modules/."""
    folder = _materialise(platform, resolve(platform, ref))
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder): path.read_bytes() for path in files}


def git(
    platform: Platform, *arguments: str, cwd: Path | None = None, env: Env | None = None, stdin: str = ""
) -> processes.Outcome:
    """Run Git in the platform, untouched by what a hook or a shell says about another repository."""
    outcome = run_git(cwd or platform.path, *arguments, env=env, stdin=stdin)
    if outcome is None:
        raise MissingError("git is not on PATH", todo="install Git")
    return outcome


def run_git(cwd: Path, *arguments: str, env: Env | None = None, stdin: str = "") -> processes.Outcome | None:
    """The same in any folder; None if there is no Git."""
    environ = {name: value for name, value in settings.read().environ.items() if name not in _ELSEWHERE}
    whole = {**environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", **(env or {})}
    try:
        return processes.run(processes.Request(("git", *arguments), cwd, whole, timeout_s=_TIMEOUT_S, stdin=stdin))
    except FileNotFoundError:
        return None


def _materialise(platform: Platform, commit: str) -> Path:
    """Check the modules of a commit out below .ngp; what is there already is right, for a commit never changes."""
    target = platform.workspace / "cache" / "commits" / commit / "modules"
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=target.parent))
    try:
        index = {"GIT_INDEX_FILE": str(work / "index")}
        _require(git(platform, "read-tree", f"{commit}:./modules", env=index), commit)
        out = work / "modules"
        out.mkdir()
        elsewhere = {
            "GIT_DIR": git(platform, "rev-parse", "--absolute-git-dir").stdout.strip(),
            "GIT_WORK_TREE": str(out),
        }
        _require(git(platform, "checkout-index", "--all", cwd=out, env={**index, **elsewhere}), commit)
        if not target.is_dir():
            out.replace(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target


def _require(outcome: processes.Outcome, commit: str) -> None:
    if outcome.exit_code:
        raise UsageError(f"Git cannot read the modules of {commit}", why=outcome.stderr.strip())
