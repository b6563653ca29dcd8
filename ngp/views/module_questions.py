"""Questions to the author of a new module."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ngp.catalogue.module import Catalogue
from ngp.rendering.scaffold import ModuleRequest
from ngp.views import asking

_OTHER = "another one"


def complete(request: ModuleRequest, catalogue: Catalogue, **streams: Any) -> ModuleRequest:
    """Ask for everything that no flag has said. `streams` are questionary's input and output, for tests."""
    categories = sorted({module.manifest.category for module in catalogue.modules.values()})
    category = request.category or asking.pick("Category", [*categories, _OTHER], **streams)
    if category == _OTHER:
        category = asking.fill("Category", _check, **streams)
    provided = _provided(catalogue)
    return replace(
        request,
        title=request.title or asking.fill("Title", _check, request.default_title, **streams),
        category=category,
        summary=request.summary or asking.fill("Summary (one sentence: what it makes)", _check, **streams),
        requires=request.requires or tuple(asking.tick("What it needs of other modules", provided, **streams)),
    )


def _check(answer: str) -> list[str]:
    return [] if answer.strip() and answer.isprintable() else ["one line of text is needed"]


def _provided(catalogue: Catalogue) -> dict[str, str]:
    """What modules provide, in order, each with the modules that do."""
    found: dict[str, list[str]] = {}
    for module in catalogue.modules.values():
        for name in module.manifest.provides:
            found.setdefault(name, []).append(module.name)
    return {name: ", ".join(found[name]) for name in sorted(found)}
