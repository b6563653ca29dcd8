"""The project that a folder belongs to, by Moltar's rules: its name, AWS profile, region and packages.

A folder without ngp.yaml is enough: a file with the project's name, there or above.
"""

from __future__ import annotations

import configparser
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ngp.errors import MissingError, UsageError

if TYPE_CHECKING:
    from threading import Event

    from ngp.aws.session import Session
    from ngp.settings import Settings

PROJECT_FILES = (".project-name", ".moltar-project", ".mxm-project")
PACKAGE_FILES = (
    ".package-name",
    ".moltar-package",
    ".mxm-package",
    ".package-names",
    ".moltar-packages",
    ".mxm-packages",
)
DEFAULT_REGION = "eu-west-1"
_VARIABLE = "AWS_DEFAULT_PROFILE"
_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
# Credentials of a CI, a cluster or a machine, which need no profile
_AMBIENT = (
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
_WORD = re.compile(r"[-\w]+")


@dataclass(frozen=True)
class Project:
    """The name in the tag `Project` of its hosts, and its origin: a flag, a variable or a file."""

    name: str
    origin: str


@dataclass(frozen=True)
class Profile:
    """An AWS profile: "" for keys of the environment. `credentials` is the file if it is not botocore's default."""

    name: str
    region: str
    credentials: str = ""


def find(cwd: Path, environ: Mapping[str, str], named: str = "") -> Project:
    """Return the project: `named`, else AWS_DEFAULT_PROFILE, else the nearest file that names one.

    Each file name is searched up to the root before the next. Raises UsageError where nothing names a project.
    """
    if named:
        return Project(named, "--project")
    if environ.get(_VARIABLE):
        return Project(environ[_VARIABLE], _VARIABLE)
    for name in PROJECT_FILES:
        for path, text in _nearest(cwd, name):
            return Project(text, str(path))
    raise UsageError(
        "project name not found",
        where=str(cwd),
        why=f"{_VARIABLE} is not set, and no {' or '.join(PROJECT_FILES)} exists in this folder or above",
        todo="pass --project NAME, or write the name into .project-name",
    )


def packages(cwd: Path, named: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the package names: `named`, else the words of the nearest file with some; () if there is none."""
    if named:
        return tuple(named)
    for name in PACKAGE_FILES:
        for _, text in _nearest(cwd, name):
            return tuple(dict.fromkeys(_WORD.findall(text)))
    return ()


def profile_names(project: str) -> tuple[str, ...]:
    """Return the names of profiles that a project may have, the best first."""
    lower = project.lower()
    return tuple(dict.fromkeys((project, lower.replace(" ", "_"), lower.replace(" ", "-"))))


def find_profile(project: str, environ: Mapping[str, str], home: Path) -> Profile:
    """Return the profile of a project, or none where the environment holds key, secret and region.

    Raises MissingError (69) where no file has a profile of the project's names.
    """
    region = next((environ[name] for name in _REGIONS if environ.get(name)), "")
    if region and all(environ.get(name) for name in _KEYS):
        return Profile("", region)
    places = _places(environ, home)
    for path, prefix, is_hidden in places:
        sections = _sections(path)
        for name in profile_names(project):
            found = sections.get(f"{prefix}{name}")
            if found is not None:
                source = sections.get(f"{prefix}{found.get('source_profile', '')}", {})
                own = found.get("region") or source.get("region") or DEFAULT_REGION
                return Profile(name, region or own, str(path) if is_hidden else "")
    if environ.get("AWS_PROFILE") or any(environ.get(name) for name in _AMBIENT):
        return Profile(environ.get("AWS_PROFILE", ""), region or DEFAULT_REGION)
    raise MissingError(
        f"cannot find an AWS profile for the project `{project}`",
        where=", ".join(str(path) for path, *_ in places),
        why=f"no profile is named {' or '.join(profile_names(project))}",
        todo=f"aws configure --profile {profile_names(project)[-1]}, or export keys and AWS_REGION",
    )


def open_session(project: Project, settings: Settings, ask: Callable[[str], str], stop: Event | None = None) -> Session:
    """Reach the account of a project; `ask` is called where its role needs a code of an MFA device.

    Nothing is asked of AWS yet. Raises MissingError (69) as `find_profile` does.
    """
    from ngp.aws import access
    from ngp.aws.mfa import Device
    from ngp.aws.session import Session

    profile = find_profile(project.name, settings.environ, settings.home)
    environ = dict(settings.environ)
    if profile.credentials:
        environ["AWS_SHARED_CREDENTIALS_FILE"] = profile.credentials
    if not profile.name:
        environ.pop("AWS_PROFILE", None)  # the keys count, not whose profile the shell names
    device = Device(ask, settings.home / ".aws" / "cli" / "cache")
    env = access.real(environ, profile.region)
    return Session(env, profile=profile.name, stop=stop, device=device)


def _nearest(cwd: Path, name: str) -> Iterator[tuple[Path, str]]:
    """Yield the files of that name that hold something, the nearest first."""
    for folder in (cwd, *cwd.parents):
        path = folder / name
        if not path.is_file():
            continue
        try:
            text = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError("cannot read this file", where=str(path), why=str(error)) from error
        if text:
            yield path, text


def _places(environ: Mapping[str, str], home: Path) -> list[tuple[Path, str, bool]]:
    """Files that may hold the profile, the prefix of sections there, and whether botocore reads no such section there.

    Moltar looks into AWS_CONFIG_FILE alone, where sections have no prefix. Those that the AWS CLI would find are found.
    """
    config = Path(environ.get("AWS_CONFIG_FILE") or home / ".aws" / "config")
    shared = Path(environ.get("AWS_SHARED_CREDENTIALS_FILE") or home / ".aws" / "credentials")
    bare = [(config, "", True)] if environ.get("AWS_CONFIG_FILE") else []
    return [*bare, (shared, "", False), (config, "profile ", False)]


def _sections(path: Path) -> dict[str, dict[str, str]]:
    """Return the sections of an AWS configuration file by their names; {} where there is no such file."""
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True, interpolation=None)
    try:
        parser.read_string(path.read_text(encoding="utf-8"), str(path))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, configparser.Error) as error:
        raise UsageError("cannot read this AWS configuration file", where=str(path), why=str(error)) from error
    return {name: {key: value or "" for key, value in parser.items(name)} for name in parser.sections()}
