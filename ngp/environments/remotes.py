"""Modules from elsewhere: parses their addresses, and fetches the files of a commit with Git."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import parse_qs, urlsplit, urlunsplit

from ngp.catalogue import vendored
from ngp.environments import revisions
from ngp.environments.environment import Platform
from ngp.errors import Finding, NgpError, UsageError, require

_FORGES = ("github.com/", "gitlab.com/", "bitbucket.org/")
_SCHEMES = ("https", "ssh", "file")
_SCP = re.compile(r"(?P<user>[\w.-]+@)(?P<host>[\w.-]+):(?P<path>(?!//).+)")
_REGISTRY = re.compile(r"([\w-]+)/([\w-]+)/([a-z0-9]+)(//[\w./-]+|)")  # the public registry requires such names
_REF = re.compile(r"[A-Za-z0-9_][\w./+-]*")
_PREFIX = re.compile(r"^(terraform-)?(aws-)?")
_MODES = {"120000": "a symbolic link", "160000": "a Git submodule"}
_QUIET = ("-c", f"core.hooksPath={os.devnull}", "-c", "core.symlinks=false", "-c", "core.autocrlf=false")
# Git asks nobody, and uses only these transports, whatever the address or a redirect says.
_ASKING_NOBODY = {
    "GIT_ALLOW_PROTOCOL": ":".join(_SCHEMES),
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "true",
    "SSH_ASKPASS_REQUIRE": "never",  # and ssh has no terminal: the process is in a session of its own
    "GCM_INTERACTIVE": "never",
}
# Filters and attributes of the operator's configuration could change the files.
_ALONE = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_ATTR_NOSYSTEM": "1"}


@dataclass(frozen=True)
class ModuleAddress:
    """The address of a module. `inner` is a folder of the repository `url` or, without one, a local folder relative to
    the platform's."""

    url: str
    inner: str
    ref: str = ""

    def __str__(self) -> str:
        if not self.url:
            return self.inner
        return f"git::{self.place}{f'?ref={self.ref}' if self.ref else ''}"

    @property
    def place(self) -> str:
        """The address without its ref, which stays when another version is added."""
        return f"{self.url}//{self.inner}" if self.url and self.inner else self.url or self.inner

    @property
    def default_name(self) -> str:
        """A module's name from the last part of the address."""
        last = (self.inner or urlsplit(self.url).path).rstrip("/").rpartition("/")[2].removesuffix(".git")
        return re.sub(r"[^a-z0-9]+", "-", _PREFIX.sub("", last.lower())).strip("-")


@dataclass(frozen=True)
class Fetched:
    """The folder of an address, and its commit ("" for a plain folder)."""

    folder: Path
    commit: str


def parse(text: str, ref: str, cwd: Path, platform: Path) -> ModuleAddress:
    """Parse an address in Terraform's syntax. Raises UsageError if it is invalid or unsafe."""
    if not text.startswith("git::") and (cwd / text).is_dir():
        if ref:
            todo = f"name the repository: git::file://{(cwd / text).resolve()}"
            raise UsageError(f"`{text}` is a folder, which has no ref", todo=todo)
        return ModuleAddress("", Path(os.path.relpath((cwd / text).resolve(), platform.resolve())).as_posix())
    parts = urlsplit(_url(text))
    path, _, inner = parts.path.partition("//")
    asked = parse_qs(parts.query, keep_blank_values=True)
    ref_in_text = asked.pop("ref", [""])[0]
    require(_wrong(text, asked, {ref_in_text, ref} - {""}, inner))
    url = urlunsplit((parts.scheme, parts.netloc, path.rstrip("/"), "", ""))
    return ModuleAddress(url, str(PurePosixPath(inner)) if inner.strip("/") else "", ref or ref_in_text)


@contextmanager
def open_source(platform: Platform, address: ModuleAddress) -> Iterator[Fetched]:
    """Yield the module's folder; one that Git fetches is temporary.

    Raises NgpError if Git cannot fetch it, UsageError for contents that cannot be copied.
    """
    if not address.url:
        yield Fetched((platform.path / address.inner).resolve(), "")
        return
    with tempfile.TemporaryDirectory(prefix="ngp-add-") as work:
        yield _fetch(_Repository(platform, Path(work) / "repository"), address, Path(work) / "files")


def _url(text: str) -> str:
    """The address as one URL."""
    plain = text.removeprefix("git::")
    scp = _SCP.fullmatch(plain)
    if scp:
        return f"ssh://{scp['user']}{scp['host']}/{scp['path'].lstrip('/')}"
    if plain.startswith(_FORGES):
        return f"https://{plain}"
    if text.startswith("git::/"):
        return f"file://{plain}"
    if urlsplit(plain).scheme not in _SCHEMES:
        listed = _REGISTRY.fullmatch(plain)
        place = "https://host/repository.git//folder"
        if listed:
            place = f"https://github.com/{listed[1]}/terraform-{listed[3]}-{listed[2]}{listed[4]}"
        raise UsageError(
            f"`{text}` is neither a folder nor the URL of a Git repository",
            why=f"ngp copies modules from folders and from Git ({', '.join(_SCHEMES)}), not from registries",
            todo=f"write it as git::{place}?ref=v1.2.3",
        )
    return plain


def _wrong(text: str, more: dict[str, list[str]], refs: set[str], inner: str) -> Iterator[Finding]:
    parts = urlsplit(_url(text))
    if parts.password or (parts.username and parts.scheme == "https"):
        todo = "leave it to Git's credential helper"
        yield Finding("the address contains credentials", why="it is written into module.yaml", todo=todo)
    for name in more:
        yield Finding(f"the address contains `{name}`", why="only `ref` is supported")
    if len(refs) > 1:
        yield Finding(f"the address and --ref name different refs: {', '.join(sorted(refs))}")
    for ref in refs:
        if not _REF.fullmatch(ref) or ".." in ref:
            yield Finding(f"`{ref}` is not a valid ref", todo="use a tag, a branch or a full commit id")
    if ".." in inner.split("/"):
        yield Finding(f"`{inner}` points outside the repository")


@dataclass(frozen=True)
class _Repository:
    """A bare repository of a moment."""

    platform: Platform
    path: Path

    def git(self, *words: str, why_not: str, env: Mapping[str, str] | None = None) -> str:
        outcome = revisions.git(self.platform, *_QUIET, *words, cwd=self.path, env=env)
        if outcome.exit_code:
            raise NgpError(why_not, why=outcome.stderr.strip() or f"`git {words[0]}` ended with {outcome.exit_code}")
        return outcome.stdout


def _fetch(repository: _Repository, address: ModuleAddress, target: Path) -> Fetched:
    repository.path.mkdir()
    target.mkdir()
    repository.git("init", "--quiet", "--bare", "--template=", ".", why_not="Git cannot create a repository")
    wanted = ("--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--", address.url, address.ref or "HEAD")
    repository.git("fetch", *wanted, env=_ASKING_NOBODY, why_not=f"Git cannot fetch {address}")
    commit = repository.git("rev-parse", "FETCH_HEAD^{commit}", why_not=f"{address} is not a commit").strip()
    tree = f"{commit}:{address.inner}"
    listed = repository.git("ls-tree", "-r", "-z", "--full-tree", tree, why_not=f"{address} has no such folder")
    require(_kinds(listed, str(address)))
    where = {"GIT_DIR": str(repository.path), "GIT_WORK_TREE": str(target)} | _ALONE
    for words in (("read-tree", tree), ("checkout-index", "--all")):
        repository.git(*words, env=where, why_not=f"Git cannot read {address}")
    return Fetched(target, commit)


def _kinds(listed: str, where: str) -> Iterator[Finding]:
    for line in filter(None, listed.split("\0")):
        about, _, path = line.partition("\t")
        kind = _MODES.get(about.partition(" ")[0])
        if kind and vendored.is_part(PurePosixPath(path)):
            yield Finding(f"`{path}` is {kind}", where, "a copy can only contain regular files and folders")
