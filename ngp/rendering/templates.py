"""Jinja templates: ngp's own, overridden by a platform's file of the same name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from ngp import shipped
from ngp.catalogue import hcl
from ngp.errors import Finding, UsageError, require


def overrides(platform: Path) -> list[Path]:
    """Return the files below `platform`/templates that override one of ngp's with another text, sorted."""
    own, theirs = shipped.templates(), platform / "templates"
    if not theirs.is_dir() or theirs.samefile(own):
        return []
    return sorted(path for path in theirs.rglob("*.j2") if _differs(path, own / path.relative_to(theirs)))


def digest(platform: Path) -> str:
    """Return a digest of all files that can contain a template of `platform`, with their names."""
    folders = (platform / "templates", shipped.templates())
    require_no_links(platform)
    files = (path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file())
    digests = [(str(path), hashlib.sha256(path.read_bytes()).hexdigest()) for path in files]
    return hashlib.sha256(json.dumps(digests).encode()).hexdigest()


def require_no_links(platform: Path) -> None:
    """Raise UsageError for links in a platform's templates: their targets would be rendered and committed."""
    home = platform / "templates"
    require(
        Finding(
            "a template must not be a link", str(path), "ngp would render the link's target", "replace it with a copy"
        )
        for path in (home, *sorted(home.rglob("*")))
        if path.is_symlink()
    )


def _differs(path: Path, own: Path) -> bool:
    return own.is_file() and path.read_bytes() != own.read_bytes()


def render(platform: Path | None, name: str, context: Mapping[str, Any]) -> str:
    """Return the text of the template `name` (``root/main.tf.j2``), the platform's own if there is one.

    An error in a template is a UsageError with file:line.
    """
    import jinja2

    own = str(shipped.templates())
    if platform is not None:
        require_no_links(platform)
    folders = (str(platform / "templates") if platform else own, own)
    try:
        text: str = _environment(folders).get_template(name).render(context)
    except jinja2.TemplateSyntaxError as error:
        raise _fault(f"{error.filename or error.name or name}:{error.lineno}", error.message or "", folders) from None
    except jinja2.TemplateNotFound as error:
        raise _fault(_place(error, folders, name), f"the template `{error.name}` does not exist", folders) from None
    except (jinja2.TemplateError, TypeError, ValueError, LookupError, ArithmeticError, AttributeError) as error:
        raise _fault(_place(error, folders, name), str(error), folders) from None
    return text


def assignments(pairs: Sequence[tuple[str, str]], indent: int = 2) -> str:
    """Return lines ``name = expression`` aligned like `terraform fmt` does for neighbours of one line each."""
    lines: list[str] = []
    run: list[tuple[str, str]] = []
    for name, expression in pairs:
        if "\n" in expression:
            lines += [*_aligned(run), f"{name} = {expression}"]
            run = []
        else:
            run.append((name, expression))
    lines += _aligned(run)
    return "\n".join(" " * indent + line for line in lines)


def _aligned(run: Sequence[tuple[str, str]]) -> list[str]:
    width = max((len(name) for name, _ in run), default=0)
    return [f"{name:{width}} = {expression}" for name, expression in run]


@lru_cache(maxsize=8)
def _environment(folders: tuple[str, ...]) -> Any:
    import jinja2
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        loader=jinja2.FileSystemLoader(folders),
        undefined=jinja2.StrictUndefined,
        autoescape=lambda name: (name or "").endswith(".html.j2"),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    quoted = partial(json.dumps, ensure_ascii=False)  # JSON's strings are YAML's
    environment.filters |= {"hcl": _literal, "assignments": assignments, "yaml": quoted}
    return environment


def _literal(value: Any) -> str:
    """Return a value as HCL. An undefined value is reported by its name."""
    import jinja2

    return hcl.render(str(value) if isinstance(value, jinja2.Undefined) else value)


def _place(error: BaseException, folders: tuple[str, ...], name: str) -> str:
    """Return the innermost line of a template in the traceback, where Jinja puts its own lines."""
    import traceback

    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(folders)]
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else name


def _fault(where: str, why: str, folders: tuple[str, ...]) -> UsageError:
    own = where.startswith(folders[1]) and folders[0] != folders[1]
    todo = "report this bug: the template is part of ngp" if own else "fix the template, or delete it to use ngp's own"
    return UsageError("this template does not work", where=where, why=why, todo=todo)
