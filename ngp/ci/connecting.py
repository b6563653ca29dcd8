"""Connects to the forge of a pipeline, by the variables of its CI system; to a folder if there is no forge or token."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ngp.ci.events import CISystem, Event
from ngp.forges.folder import Folder
from ngp.forges.forge import Forge
from ngp.forges.github import GitHub
from ngp.forges.gitlab import GitLab
from ngp.forges.rest import Route

_GITHUB = ("GITHUB_TOKEN", "GH_TOKEN")
_GITLAB = ("GITLAB_TOKEN",)  # CI_JOB_TOKEN may not write notes
_GITLAB_CA = "CI_SERVER_TLS_CA_FILE"  # set by a runner that is given a private CA


def connect(event: Event, environ: Mapping[str, str], folder: Path) -> tuple[Forge, str]:
    """Return the forge, and why it is only a folder; "" if it is a real one or none is expected.

    Raises ForgeError for an address that would send the token unencrypted.
    """
    if event.system is CISystem.GITHUB:
        token, repository = _first(environ, _GITHUB), environ.get("GITHUB_REPOSITORY", "")
        if token and repository:
            url = environ.get("GITHUB_API_URL") or "https://api.github.com"
            return GitHub(url, repository, token, _route(environ)), ""
        return Folder(folder), "GITHUB_TOKEN is not set, so ngp writes no comment and no status to GitHub"
    if event.system is CISystem.GITLAB:
        token, project, url = (_first(environ, (name,)) for name in (*_GITLAB, "CI_PROJECT_ID", "CI_API_V4_URL"))
        if token and project and url:
            return GitLab(url, project, token, _route(environ, _GITLAB_CA)), ""
        return Folder(folder), "GITLAB_TOKEN is not set, so ngp writes no comment and no status to GitLab"
    return Folder(folder), ""


def _first(environ: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((environ[name] for name in names if environ.get(name)), "")


def _route(environ: Mapping[str, str], authority: str = "") -> Route:
    """Return the network route to an API; `authority` is the variable with the file of its CA."""
    found = {kind: environ.get(f"{kind}_proxy") or environ.get(f"{kind.upper()}_PROXY") for kind in ("http", "https")}
    return Route({kind: address for kind, address in found.items() if address}, environ.get(authority, ""))
