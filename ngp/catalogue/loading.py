"""Loads modules from their folders. Parsed HCL is cached by content, because parsing is slow (0.2 MB a second)."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache as memoize
from pathlib import Path
from typing import Any, TypeVar

from ngp.cache import recall
from ngp.catalogue import hcl, overriding
from ngp.catalogue.module import Catalogue, DummyValue, Manifest, Module, Output, Variable
from ngp.errors import Finding, UsageError, nearest, require

MANIFEST = "module.yaml"
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
T = TypeVar("T", Variable, Output)
K = TypeVar("K")


def load(path: Path, cache: Path | None = None) -> Catalogue:
    """The modules in the folders of `path`; one that cannot be read is `broken` and spoils no other.

    Each is read when it is asked for: an environment uses a few modules of many. `cache` is a folder for facts of
    files (`ngp.cache`). Raises UsageError where there is no catalogue.
    """
    known = {folder.name: folder for folder in folders(path)}

    @memoize
    def read(name: str) -> Module | tuple[Finding, ...]:
        try:
            return load_module(known[name], cache)
        except UsageError as error:
            return error.findings

    return Catalogue(path, _Of(Module, known, read), _Of(tuple, known, read))


class _Of(Mapping[str, K]):
    """Those of the named things that turn out to be of one kind; what is not asked for is not read."""

    def __init__(self, kind: type[K], names: Collection[str], read: Callable[[str], object]) -> None:
        self._kind, self._names, self._read = kind, names, read

    def __getitem__(self, name: str) -> K:
        if name in self._names and isinstance(found := self._read(name), self._kind):
            return found
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._names if isinstance(self._read(name), self._kind))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def folders(path: Path) -> list[Path]:
    """Return the folders of modules, sorted by name. Raises UsageError if there is no catalogue.

    A folder with only hidden files is ignored: Git leaves it of a module in another branch.
    """
    if not path.is_dir():
        raise UsageError("the folder `modules/` is missing", where=str(path), todo="create it, or restore it from Git")
    found = (folder for folder in path.iterdir() if folder.is_dir() and folder.name[0] not in "._")
    return sorted(folder for folder in found if any(file.name[0] != "." for file in folder.iterdir()))


def choose(path: Path, names: Sequence[str] = ()) -> list[Path]:
    """Return the folders of the named modules, in order (all without names). Raises UsageError for an unknown name."""
    known = {folder.name: folder for folder in folders(path)}
    unknown = [name for name in names if name not in known]
    require(Finding(f"the module `{name}` does not exist", str(path), todo=nearest(name, known)) for name in unknown)
    return [known[name] for name in names or known]


def load_module(path: Path, cache: Path | None = None) -> Module:
    """Load the module in the folder `path`. Raises one UsageError with all errors in its files."""
    if not NAME.fullmatch(path.name):
        why = "a name starts with a letter and has lower-case letters, digits and single dashes"
        raise UsageError(f"`{path.name}` is not a valid module name", where=str(path), why=why)
    findings = list[Finding]()
    manifest = _manifest(path, cache, findings)
    sources = _sources(path, cache, findings)
    dummy_file = path / f"{path.name}.dummy"
    dummies = _dummies(dummy_file, _facts(dummy_file, "dummies", cache, findings)) if dummy_file.is_file() else {}
    variables, outputs = _unique(_variables(sources), findings), _unique(_outputs(sources), findings)
    required = [each for _, facts in sources for each in facts.get("required", ())]
    if findings or manifest is None:
        raise UsageError(findings)
    return Module(
        name=path.name,
        path=path,
        manifest=manifest,
        variables=variables,
        outputs=outputs,
        dummies=dummies,
        required_version=", ".join(each["version"] for each in required if each["version"]),
        required_providers={name: requirement for each in required for name, requirement in each["providers"].items()},
    )


def terraform_files(path: Path) -> list[Path]:
    """Return the .tf and .tf.json files of a module: NAME.tf, NAME-variables.tf, NAME-output.tf, the others by name,
    and override files last."""
    first = [path / f"{path.name}{end}.tf" for end in ("", "-variables", "-output")]
    others = sorted({*path.glob("*.tf"), *path.glob("*.tf.json")} - set(first))
    return [file for file in first if file.is_file()] + sorted(others, key=overriding.is_override)


def bodies(path: Path) -> dict[Path, hcl.Body]:
    """Return the bodies of a module's files, with override files merged into the others. Raises UsageError."""
    files = terraform_files(path)
    bases = {file: hcl.load(file) for file in files if not overriding.is_override(file)}
    return overriding.merge(bases, [hcl.load(file) for file in files if overriding.is_override(file)])


def _sources(path: Path, cache: Path | None, findings: list[Finding]) -> list[tuple[Path, Mapping[str, Any]]]:
    """The facts of each file; with files that override, those of what comes out."""
    files = terraform_files(path)
    if not any(map(overriding.is_override, files)):
        return [(file, _facts(file, "tf", cache, findings)) for file in files]

    def find() -> list[Mapping[str, Any]]:
        from ngp.catalogue import facts

        return [facts.collect_body(body) for body in bodies(path).values()]

    try:
        content = b"\0".join(f"{file.name}\0{hcl.read(file)}".encode() for file in files)
        found = recall(cache, f"overridden {path}", content, find)
    except UsageError as error:
        findings.extend(error.findings)
        return []
    return list(zip((file for file in files if not overriding.is_override(file)), found, strict=True))


def _manifest(path: Path, cache: Path | None, findings: list[Finding]) -> Manifest | None:
    from ngp.catalogue import manifest

    if not (path / MANIFEST).is_file():
        todo = "write one (see `ngp module new`), or move the folder out of the catalogue"
        findings.append(Finding(f"the module `{path.name}` has no {MANIFEST}", str(path), todo=todo))
        return None
    data = _facts(path / MANIFEST, "manifest", cache, findings)
    return manifest.build(data) if data else None


def _facts(path: Path, kind: str, cache: Path | None, findings: list[Finding]) -> Mapping[str, Any]:
    """Return the facts of a file, from the cache if possible; {} and findings if it is broken."""
    try:
        text = hcl.read(path)
        found: Mapping[str, Any] = recall(cache, f"{kind} {path}", text.encode(), lambda: _READERS[kind](text, path))
    except UsageError as error:
        findings.extend(error.findings)
        return {}
    return found


def _read_hcl(text: str, path: Path) -> Mapping[str, Any]:
    from ngp.catalogue import facts

    return facts.collect(text, path)


def _read_dummies(text: str, path: Path) -> Mapping[str, Any]:
    from ngp.catalogue import facts

    return facts.collect_dummies(text, path)


def _read_manifest(text: str, path: Path) -> Mapping[str, Any]:
    from ngp import yaml
    from ngp.catalogue import manifest

    return manifest.read(yaml.parse(text, path))


_READERS: Mapping[str, Callable[[str, Path], Mapping[str, Any]]] = {
    "tf": _read_hcl,
    "dummies": _read_dummies,
    "manifest": _read_manifest,
}


def _variables(sources: Sequence[tuple[Path, Mapping[str, Any]]]) -> Iterator[Variable]:
    from ngp.catalogue import facts

    for path, found in sources:
        if found:
            yield from facts.variables_of(found, path)


def _outputs(sources: Sequence[tuple[Path, Mapping[str, Any]]]) -> Iterator[Output]:
    from ngp.catalogue import facts

    for path, found in sources:
        if found:
            yield from facts.outputs_of(found, path)


def _dummies(path: Path, found: Mapping[str, Any]) -> dict[str, DummyValue]:
    from ngp.catalogue import facts

    return facts.dummies_of(found, path) if found else {}


def _unique(items: Iterator[T], findings: list[Finding]) -> dict[str, T]:
    known: dict[str, T] = {}
    for item in items:
        if item.name in known:
            why = f"the first is at {known[item.name].place}"
            findings.append(Finding(f"`{item.name}` is defined twice", str(item.place), why))
        known.setdefault(item.name, item)
    return known
