"""The modules of another commit, for an environment with a pinned catalogue."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ngp import files, processes, settings
from ngp.catalogue import loading
from ngp.catalogue.module import Catalogue
from ngp.environments.environment import Environment, Platform
from ngp.errors import MissingError, UsageError

Env = Mapping[str, str]

PIN = "CATALOGUE"  # beside copied modules: names their source, and marks the folder as ngp's
_ORIGIN = re.compile(r"(?m)^The modules of `(.+)`\.$")
_TIMEOUT_S = 120.0
UNREADABLE = "\N{REPLACEMENT CHARACTER}"  # in the names that Git says: for each byte that is not UTF-8
# Variables with which a hook or a shell points Git at another repository, index or work tree.
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
    """Return the commit (40 hex digits) of a Git ref. Raises UsageError if it does not exist or has no modules."""
    commit = find(platform, ref)
    if commit is None:
        raise UsageError(
            f"Git has no commit `{ref}`",
            where=str(platform.path),
            why=complaint(platform, ref),
            todo="fetch it, or use a commit that `git log` shows",
        )
    if git(platform, "cat-file", "-e", f"{commit}:./modules").exit_code:
        raise UsageError(f"the commit `{ref}` has no modules/", where=str(platform.path))
    return commit


def find(platform: Platform, ref: str) -> str | None:
    """Return the commit of a Git ref, or None."""
    outcome = _look_up(platform, ref)
    return outcome.stdout.strip() if outcome.exit_code == 0 else None


def tags(platform: Platform) -> list[str]:
    """Return the tags of the platform's repository, newest first; none if Git has no repository."""
    outcome = run_git(platform.path, "tag", "--list", "--sort=-version:refname")
    return outcome.stdout.split() if outcome is not None and outcome.exit_code == 0 else []


def complaint(platform: Platform, ref: str) -> str:
    """Return Git's message about a ref that it cannot find, including a refusal of another owner's repository."""
    return " ".join(_look_up(platform, ref).stderr.split())


def _look_up(platform: Platform, ref: str) -> processes.ProcessResult:
    # rev-parse takes a leading dash for an option, even after --end-of-options
    word = f"{ref}^{{commit}}" if not ref.startswith("-") else "^{commit}"
    return git(platform, "rev-parse", "--verify", "--end-of-options", word)


def load_catalogue(platform: Platform, environment: Environment) -> Catalogue:
    """Return the modules that an environment uses, with the platform's cache of facts."""
    return loading.load(catalogue_path(platform, environment), platform.cache)


def catalogue_path(platform: Platform, environment: Environment) -> Path:
    """The folder that holds the environment's modules.

    For a pinned catalogue that is a copy of the commit's modules below .ngp, made once. If Git does not know the ref
    (a shallow clone), it is the copies that were rendered into the environment, provided that they are of that ref.
    Raises UsageError otherwise: other modules must never pass for those of the ref.
    """
    if not environment.catalogue:
        return platform.path / "modules"
    rendered = environment.path / "modules"
    commit = find(platform, environment.catalogue)
    if commit is not None:
        return _materialise(platform, commit)
    if rendered_from(rendered) == environment.catalogue:
        return rendered
    copied = rendered_from(rendered)
    raise UsageError(
        f"Git has no commit `{environment.catalogue}`, and {rendered} holds "
        + (f"the modules of `{copied}`" if copied else "no copy of its modules"),
        where=environment.where("catalogue"),
        why=complaint(platform, environment.catalogue),
        todo=f"fetch it, or choose another: ngp configure {environment.name} --catalogue REF",
    )


def rendered_from(modules: Path) -> str:
    """Return the ref of the copied modules in a folder, "" if it is not recorded."""
    try:
        found = _ORIGIN.search((modules / PIN).read_text(encoding="utf-8"))
    except OSError:
        return ""
    return found[1] if found else ""


def origin(ref: str) -> str:
    """Return the line that records the ref of copied modules."""
    return f"The modules of `{ref}`."


def remote(platform: Platform) -> str:
    """Return the remote to fetch from: Git's `checkout.defaultRemote`, else `origin`, else the first; "" without."""
    names = git(platform, "remote").stdout.split()
    named = git(platform, "config", "--get", "checkout.defaultRemote").stdout.strip() if len(names) > 1 else ""
    return next((name for name in (named, "origin", *names) if name in names), "")


def git(
    platform: Platform,
    *arguments: str,
    cwd: Path | None = None,
    env: Env | None = None,
    stdin: str = "",
    timeout_s: float = _TIMEOUT_S,
) -> processes.ProcessResult:
    """Run Git in the platform, without variables of a hook or a shell about another repository."""
    outcome = run_git(cwd or platform.path, *arguments, env=env, stdin=stdin, timeout_s=timeout_s)
    if outcome is None:
        raise MissingError("git is not on PATH", todo="install Git")
    return outcome


def run_git(
    cwd: Path, *arguments: str, env: Env | None = None, stdin: str = "", timeout_s: float = _TIMEOUT_S
) -> processes.ProcessResult | None:
    """Run Git like `git`, in any folder; None if Git is not installed."""
    environ = {name: value for name, value in settings.read().environ.items() if name not in _ELSEWHERE}
    whole = {**environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", **(env or {})}
    try:
        return processes.run(
            processes.ProcessRequest(("git", *arguments), cwd, whole, timeout_s=timeout_s, stdin=stdin)
        )
    except FileNotFoundError:
        return None


def head(path: Path) -> str:
    """Return the short commit of a folder's repository, with ``+`` for changes in the work tree; "" without one."""

    def ask(*words: str) -> str:
        outcome = run_git(path, *words)
        return outcome.stdout.strip() if outcome is not None and outcome.exit_code == 0 else ""

    commit = ask("rev-parse", "--short", "HEAD")
    return f"{commit}+" if commit and ask("status", "--porcelain") else commit


def extract(platform: Platform, commit: str, name: str, folder: Path) -> None:
    """Write the files of a platform's folder in a commit into `folder`/`name`, without links."""
    listed = git(platform, "ls-tree", "-r", "-z", commit, "--", f"./{name}/").stdout
    for line in filter(None, listed.split("\0")):
        about, _, path = line.partition("\t")
        if about.startswith("100"):
            blob = about.rpartition(" ")[2]
            made = folder / path.replace(UNREADABLE, blob)  # two such names must not become one
            made.parent.mkdir(parents=True, exist_ok=True)
            files.write(made, git(platform, "cat-file", "blob", blob).stdout)


def _materialise(platform: Platform, commit: str) -> Path:
    """Check the modules of a commit out below .ngp; what is there already is right, for a commit never changes."""
    target = platform.workspace.commit(commit)
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
        as_committed = ("-c", "core.autocrlf=false", "-c", "core.eol=lf")
        _require(git(platform, *as_committed, "checkout-index", "--all", cwd=out, env={**index, **elsewhere}), commit)
        if not target.is_dir():
            out.replace(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target


def _require(outcome: processes.ProcessResult, commit: str) -> None:
    if outcome.exit_code:
        raise UsageError(f"Git cannot read the modules of {commit}", why=outcome.stderr.strip())
