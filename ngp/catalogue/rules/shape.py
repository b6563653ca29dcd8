"""Rules for a module's files, its inputs and outputs, its dummy values and its providers."""

from __future__ import annotations

from collections.abc import Iterator

from ngp.catalogue import hcl, types
from ngp.catalogue.module import Module, SourceLocation, Variable
from ngp.catalogue.rules.source import Fault, ModuleSource
from ngp.errors import UsageError, nearest

FACTS = frozenset({"environment", "region", "project", "domain_name", "unit"})  # ngp sets them; no dummy needed
COMMON = ("project", "environment", "region", "pre_tag", "post_tag", "service", "version_tag", "tags")


def files(source: ModuleSource) -> Iterator[Fault]:
    """Require the four files and the page, named for the module."""
    name, path = source.module.name, source.module.path
    for ending in (".tf", "-variables.tf", "-output.tf", ".dummy"):
        if not (path / f"{name}{ending}").is_file():
            yield source.fault("files", f"{name}{ending} is missing", str(path), why="a module has four files")
        for other in sorted(path.glob(f"*{ending}")) if ending != ".tf" else ():
            if other.name != f"{name}{ending}":
                yield source.fault("files", f"{other.name} has not the module's name", str(other))
    if not source.page.is_file():
        yield source.fault("files", "README.md is missing", str(path), why="every module has a page")


def descriptions(source: ModuleSource) -> Iterator[Fault]:
    """Require a description of every input and output, and a type of every input."""
    for kind in ("variable", "output"):
        for block in source.of(kind):
            name, attributes = ".".join(block.labels), block.body.attributes
            if not attributes.get("description") or attributes["description"].text.strip('" ') in {"", "null"}:
                yield source.fault("description", f"the {kind} `{name}` has no description", block.where)
            if kind == "variable" and "type" not in attributes:
                yield source.fault("type", f"the variable `{name}` has no type", block.where)


def common(source: ModuleSource) -> Iterator[Fault]:
    """Require the inputs that every module has."""
    variables = source.module.variables
    missing = [name for name in COMMON if name not in variables]
    if missing:
        where = str(source.module.path / f"{source.module.name}-variables.tf")
        why = "every module of the catalogue has them: names and tags are made of them"
        yield source.fault("common-inputs", f"these inputs are missing: {', '.join(missing)}", where, why=why)


def dummies(source: ModuleSource) -> Iterator[Fault]:
    """Require a dummy value for every input without a default, and an input for every dummy value."""
    module = source.module
    for name, variable in module.variables.items():
        if not _is_fed(module, variable) and name not in module.dummies:
            todo = f"give it a harmless value in {module.name}.dummy"
            yield source.fault("dummy", f"`{name}` has neither a default nor a dummy", str(variable.place), todo=todo)
    for name, dummy in module.dummies.items():
        if name not in module.variables:
            hint = nearest(name, module.variables)
            yield source.fault("dummy", f"the module has no variable `{name}`", str(dummy.place), todo=hint)
        else:
            yield from _check_dummy(source, module.variables[name], dummy.text, dummy.place)


def defaults(source: ModuleSource) -> Iterator[Fault]:
    """Require that defaults fit their types."""
    for variable in source.module.variables.values():
        if variable.has_default:
            for reason in types.check(variable.type, variable.default, variable.name):
                yield source.fault("default", reason, str(variable.place))


def providers(source: ModuleSource) -> Iterator[Fault]:
    """Require version constraints only: the root configures provider and backend."""
    for block in source.of("provider"):
        yield source.fault("provider", "a module has no provider block", block.where, why="the root has it")
    for block in source.of("terraform"):
        for inner in (*block.body.of("backend"), *block.body.of("cloud")):
            yield source.fault("backend", "a module has no backend", inner.where, why="the root has it")
    where = str(source.module.path / f"{source.module.name}.tf")
    if not source.module.required_version:
        yield source.fault("versions", "required_version is missing", where)
    if any(True for _ in source.of("resource")) and not source.module.required_providers:
        yield source.fault("versions", "required_providers is missing", where)
    for name, requirement in source.module.required_providers.items():
        version = requirement.get("version", "")
        if not requirement.get("source") or not ("~>" in version or ("<" in version and ">" in version)):
            why = "a range has a lower and an upper bound, such as `>= 5.100, < 6`"
            yield source.fault("versions", f"the provider `{name}` needs a source and a range", where, why=why)


def _is_fed(module: Module, variable: Variable) -> bool:
    """Whether something else than a dummy gives the value."""
    manifest = module.manifest
    known = variable.name in FACTS or variable.name in manifest.requires or variable.name in manifest.generated
    return known or variable.has_default or variable.ephemeral


def _check_dummy(source: ModuleSource, variable: Variable, text: str, place: SourceLocation) -> Iterator[Fault]:
    try:
        value = hcl.literal(hcl.parse(f"value = {text}\n", place.path).attributes["value"])
    except UsageError as error:
        yield source.fault("dummy", error.findings[0].what, str(place))
        return
    for reason in types.check(variable.type, value, variable.name):
        yield source.fault("dummy", reason, str(place), why=f"its type is {types.render(variable.type)}")
    if value is None and not variable.nullable:
        yield source.fault("dummy", f"{variable.name}: it must not be null", str(place))
