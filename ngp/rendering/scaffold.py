"""The files of a new module, from `templates/module/`; they pass all checks as they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ngp import files
from ngp.catalogue import hcl, loading, types
from ngp.catalogue.module import Catalogue, Variable
from ngp.catalogue.rules import shared
from ngp.environments import platforms
from ngp.environments.environment import Platform
from ngp.environments.values import COMMON_INPUTS, FACTS
from ngp.errors import Finding, nearest, require
from ngp.rendering import module_pages, templates

LONGEST = 31  # a unit's name becomes part of names that AWS limits
_OWN = frozenset({*FACTS, "unit", "pre_tag", "post_tag", "service", "version_tag", "tags", "message"})
_FILES = {
    "{name}.tf": "main.tf",
    "{name}-variables.tf": "variables.tf",
    "{name}-output.tf": "output.tf",
    "{name}.dummy": "dummy",
    "module.yaml": "module.yaml",
    "README.md": "README.md",
    "tests/{name}.tftest.hcl": "tests/tftest.hcl",
}
_EXAMPLES = {
    "project": "shop",
    "environment": "stage",
    "region": "eu-central-1",
    "pre_tag": "shop-a",
    "post_tag": "stage",
    "tags": {"owner": "team"},
}


@dataclass(frozen=True)
class ModuleRequest:
    """The author's answers. `requires` names inputs to wire."""

    name: str
    title: str
    category: str
    summary: str
    requires: tuple[str, ...] = ()

    @property
    def default_title(self) -> str:
        return self.name.replace("-", " ").capitalize()

    @property
    def missing(self) -> list[str]:
        """The names of what has no default and was not given."""
        return [word for word in ("category", "summary") if not getattr(self, word)]


Complete = Callable[[ModuleRequest, Catalogue], ModuleRequest]  # asks a person for what a request lacks


@dataclass(frozen=True)
class Required:
    """A wired input of the new module; `text` is its declaration if all modules share one."""

    name: str
    type: str
    description: str
    may_be_null: bool
    text: str


def create(platform: Platform, request: ModuleRequest, complete: Complete | None = None) -> list[Path]:
    """Write a new module and its page; return the paths of its files. `complete` is None where nobody can be asked.

    Raises UsageError (64) for what is wrong with the request, LockHeldError (5) while another ngp writes.
    """
    catalogue = loading.load(platform.path / "modules", platform.cache)
    require(check_name(catalogue, request.name))
    if complete and request.missing:
        request = complete(request, catalogue)
    require(Finding(f"the {word} is missing", todo=f"pass `--{word} TEXT`") for word in request.missing)
    request = replace(request, title=request.title or request.default_title)
    with files.lock(platform.workspace.platform_lock, purpose=f"ngp module new {request.name}"):
        written = files.write_all(render(platform.path, catalogue, request))
        files.write_all(module_pages.collect(platform.path / "modules", [request.name], platform.cache))
    return written


def render(platform: Path, catalogue: Catalogue, request: ModuleRequest) -> dict[Path, str]:
    """Return the new module's files by full path. Raises one UsageError with all errors of the request."""
    require(check(catalogue, request))
    required = [_required(catalogue, name) for name in request.requires]
    examples = {**_EXAMPLES, **{each.name: _example(each) for each in required if not each.text}}
    facts = {
        "name": request.name,
        "schema_comment": platforms.schema_comment(platform, "module", 2),
        "title": request.title,
        "category": request.category,
        "summary": request.summary,
        "required": required,
        "used": [("message", "var.message"), *((each.name, f"var.{each.name}") for each in required)],
        "values": [(name, hcl.render(value, 2)) for name, value in examples.items()],
    }
    folder = catalogue.path / request.name
    return {
        folder / path.format(name=request.name): templates.render(platform, f"module/{template}.j2", facts)
        for path, template in _FILES.items()
    }


def check(catalogue: Catalogue, request: ModuleRequest) -> Iterator[Finding]:
    """Return why the module cannot be made."""
    yield from check_name(catalogue, request.name)
    for word, text in (("title", request.title), ("category", request.category), ("summary", request.summary)):
        if not text.strip() or not text.isprintable():
            yield Finding(f"the {word} must be one line of text", todo=f"pass `--{word} TEXT`")
    outputs = {name for module in catalogue.modules.values() for name in module.outputs}
    for name in request.requires:
        if name in _OWN:
            yield Finding(f"`{name}` cannot be wired", why="every module has an input of that name")
        elif name not in outputs:
            yield Finding(f"no module has an output `{name}`", todo=nearest(name, outputs - _OWN))
    for name, count in Counter(request.requires).items():
        if count > 1:
            yield Finding(f"`{name}` is required twice")


def check_name(catalogue: Catalogue, name: str) -> Iterator[Finding]:
    """Return why a new module cannot have this name."""
    if not loading.NAME.fullmatch(name) or len(name) > LONGEST:
        why = f"a name starts with a letter and has at most {LONGEST} lower-case letters, digits and single dashes"
        yield Finding(f"`{name}` is not a valid module name", why=why)
    elif name in (*COMMON_INPUTS, *FACTS):
        yield Finding(f"`{name}` is not a valid module name", why="it is the name of an input in terraform.tfvars")
    elif (catalogue.path / name).exists():
        yield Finding(f"`{name}` already exists", str(catalogue.path / name), todo="choose another name")


def _required(catalogue: Catalogue, name: str) -> Required:
    """Return the input as other modules declare it, else as the name of the output suggests."""
    known = [module.variables[name] for module in catalogue.modules.values() if name in module.variables]
    known.sort(key=lambda variable: variable.has_default)
    giving = next(module for module in catalogue.modules.values() if name in module.outputs)
    description = giving.outputs[name].description or f"{name} of {giving.name}."
    return Required(
        name, _type(known, name), description, may_be_null="null" in description, text=shared.declaration(name)
    )


def _type(known: list[Variable], name: str) -> str:
    if known:
        return types.render(known[0].type)
    return "list(string)" if name.endswith(("_ids", "_arns", "_ips", "_names", "zones")) else "string"


def _example(required: Required) -> object:
    match types.parse(required.type):
        case types.Collection("map") | types.Structure():
            return {}
        case types.Collection() | types.Sequence():
            return [required.name]
        case types.NUMBER:
            return 1
        case types.BOOL:
            return True
    return required.name
