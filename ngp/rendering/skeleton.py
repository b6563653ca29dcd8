"""The files of a new platform: the shipped catalogue and `templates/platform/`."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

import ngp
from ngp import files, shipped
from ngp.catalogue import loading
from ngp.errors import Finding, NgpError, UsageError, require
from ngp.rendering import copies, dummies, pages, pipelines, templates
from ngp.rendering.roots import LOCK

_HOME = "platform"
# Templates have no leading dot, so that no tool takes them for its own settings.
_HIDDEN = frozenset({"gitattributes", "gitignore", "gitkeep", "pre-commit-config.yaml"})
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def create(folder: Path, name: str) -> list[Path]:
    """Write a platform called `name` into `folder`, all of it or nothing; return its files. Raises as `render`."""
    planned = render(folder, name)
    try:
        return files.write_all(planned)
    except OSError as error:
        where, why = error.filename or str(folder), f"{error.strerror}; none was made"
        raise NgpError("cannot write the platform", where=where, why=why) from None


def render(folder: Path, name: str) -> dict[Path, str]:
    """Return the files of a new platform `name` in `folder`, by full path.

    Includes pipelines, unless the folder is inside another repository, which would need them at its top. Raises
    UsageError if `folder` belongs to a platform already or a file exists; writes nothing.
    """
    _require_room(folder)
    _require_name(name)
    catalogue = loading.load(shipped.modules())
    catalogue.require()
    found: dict[PurePosixPath, str] = {
        **_from_templates(name),
        **({} if is_nested(folder) else pipelines.render(None, pipelines.PipelineSystem.GITHUB, "main")),
        **{"modules" / path: text for path, text in copies.collect(shipped.modules(), catalogue.modules).items()},
        PurePosixPath(LOCK): shipped.lock_file().read_text(encoding="utf-8"),
        **{PurePosixPath("docs/schemas", file): text for file, text in pages.published_schemas().items()},
        PurePosixPath(dummies.FILE): dummies.render(catalogue),
    }
    planned = {folder / path: text for path, text in sorted(found.items())}
    require(
        Finding("this file already exists", str(path), todo="choose an empty folder")
        for path in planned
        if path.exists() or path.is_symlink()
    )
    return planned


def is_nested(folder: Path) -> bool:
    """Whether a folder is below the top of a repository."""
    return not (folder / ".git").exists() and any((parent / ".git").exists() for parent in folder.parents)


def default_name(folder: Path) -> str:
    """Return a platform's name derived from its folder's."""
    return re.sub(r"[^a-z0-9]+", "-", folder.name.lower()).strip("-").lstrip("0123456789-")


def _from_templates(name: str) -> dict[PurePosixPath, str]:
    home = shipped.templates() / _HOME
    found: dict[PurePosixPath, str] = {}
    for path in sorted(home.rglob("*.j2")):
        inner = PurePosixPath(path.relative_to(home).as_posix()).with_suffix("")
        text = templates.render(None, f"{_HOME}/{inner}.j2", {"name": name, "version": ngp.__version__})
        found[PurePosixPath(*(f".{part}" if part in _HIDDEN else part for part in inner.parts))] = text
    return found


def _require_room(folder: Path) -> None:
    for parent in (folder, *folder.parents):
        if (parent / "ngp.yaml").is_file():
            raise UsageError(
                "this folder is already in a platform",
                where=str(parent),
                why="`ngp init` creates a platform; `ngp plan` initialises Terraform itself",
                todo="to plan: ngp plan ENV; to create another environment: ngp env new NAME",
            )
        if (parent / ".git").exists():
            return
    if folder.exists() and not folder.is_dir():
        raise UsageError("this is not a folder", where=str(folder))


def _require_name(name: str) -> None:
    if not (_NAME.fullmatch(name) and 2 <= len(name) <= 24):
        raise UsageError(
            f"`{name}` is not a valid platform name",
            why="a name starts with a letter and has 2 to 24 lower-case letters, digits and single dashes",
            todo="pass one: ngp init DIR --project NAME",
        )
