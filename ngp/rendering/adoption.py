"""Copies a module from elsewhere into the catalogue: its files, its manifest, its dummy file, and conflicts."""

from __future__ import annotations

import re
import tempfile
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from ngp import files
from ngp.catalogue import hcl, loading, types, vendored
from ngp.catalogue.module import Catalogue, Module, Origin, Variable
from ngp.catalogue.rules import shape, source, wiring
from ngp.catalogue.rules import vendored as rules
from ngp.catalogue.rules.source import ModuleSource, address
from ngp.environments import document_edits, platforms
from ngp.errors import Finding, UsageError, require
from ngp.rendering import differences, readmes, scaffold, templates
from ngp.terraform import lockfile

_BUILT_IN = "terraform.io/builtin/"
_SCANTY = "title: T\nsummary: S\ncategory: c\n"  # allows loading the copy before it has a manifest
_VERSION = re.compile(r"\?ref=v?(\d+\.\d+\.\d+)$")
_HELD = frozenset({*shape.COMMON, *shape.FACTS})  # given by ngp or terraform.tfvars, never wired
# Resource types with data that cannot be recreated.
_HOLDING = frozenset(
    {
        "aws_cognito_user_pool",
        "aws_db_instance",
        "aws_docdb_cluster",
        "aws_dynamodb_table",
        "aws_ebs_volume",
        "aws_ecr_repository",
        "aws_efs_file_system",
        "aws_elasticache_cluster",
        "aws_elasticache_replication_group",
        "aws_kinesis_stream",
        "aws_kms_key",
        "aws_opensearch_domain",
        "aws_rds_cluster",
        "aws_redshift_cluster",
        "aws_s3_bucket",
        "aws_secretsmanager_secret",
    }
)


@dataclass(frozen=True)
class AdoptionRequest:
    """A module to copy. `contents` are its files at the source."""

    name: str
    address: str
    commit: str
    contents: Mapping[PurePosixPath, bytes]


@dataclass(frozen=True)
class Adoption:
    """The files to write. `changes` describe the differences; None for a new module."""

    files: Mapping[Path, str]
    removed: tuple[Path, ...]
    requires: tuple[str, ...]
    provides: tuple[str, ...]
    origin: Origin
    changes: tuple[str, ...] | None


def prepare(platform: Path, catalogue: Catalogue, request: AdoptionRequest) -> Adoption:
    """Return the files of the copy in `platform`/modules. Raises one UsageError with all conflicts."""
    old = catalogue.modules.get(request.name)
    is_known = (
        old is not None
        and old.manifest.source is not None
        and _place(old.manifest.source.address) == _place(request.address)
    )
    if not is_known:
        require(_check_name(catalogue, request.name, old))
    with tempfile.TemporaryDirectory(prefix="ngp-add-") as work:
        found = _write_copy(Path(work) / request.name, request)
        require(_here(each, found.module.path) for each in _wrong(found, platform))
        origin = Origin(request.address, vendored.checksum(request.contents), request.commit)
        return _Work(platform, catalogue, request, found, origin, old if is_known else None).adopt()


@dataclass(frozen=True)
class _Work:
    """The adoption of one module; `old` is its previous copy."""

    platform: Path
    catalogue: Catalogue
    request: AdoptionRequest
    found: ModuleSource
    origin: Origin
    old: Module | None

    def adopt(self) -> Adoption:
        folder = self.catalogue.path / self.request.name
        requires, provides = self.requires(), self.provides(self.given())
        own = {
            loading.MANIFEST: self.manifest(requires, provides),
            f"{self.request.name}.dummy": self.dummies(requires),
        }
        texts = {str(path): data.decode("utf-8") for path, data in self.request.contents.items()}
        gone = vendored.read(folder, self.request.name).keys() - self.request.contents.keys() if self.old else ()
        return Adoption(
            files={folder / name: text for name, text in {**texts, **own}.items()},
            removed=tuple(folder / path for path in sorted(gone)),
            requires=requires,
            provides=provides,
            origin=self.origin,
            changes=tuple(self.changes(self.old)) if self.old else None,
        )

    def given(self) -> set[str]:
        """The outputs that other modules provide."""
        others = (each for each in self.catalogue.modules.values() if each.name != self.request.name)
        return {name for module in others for name in module.manifest.provides}

    def requires(self) -> tuple[str, ...]:
        """Return the inputs to wire: those without a default that equal an output of another module, with a name of
        more than one word (`name` and `arn` mean different things everywhere)."""
        given = self.given()
        kept, seen = (self.old.manifest.requires, self.old.variables) if self.old else ((), {})
        guessed = [
            each.name
            for each in self.found.module.variables.values()
            if each.name in given and each.name not in seen and "_" in each.name
            if not each.has_default and not each.ephemeral
        ]
        known = [name for name in dict.fromkeys([*kept, *guessed]) if name in self.found.module.variables]
        return tuple(name for name in known if name in kept or (name not in _HELD and not self.decides(name)))

    def decides(self, name: str) -> bool:
        """Whether an input decides the number of something: it could not be previewed if it were wired."""
        module = self.found.module
        asked = replace(module, manifest=replace(module.manifest, requires=(name,)))
        return any(True for _ in wiring.counts(ModuleSource(asked, self.found.bodies)))

    def provides(self, given: Iterable[str]) -> tuple[str, ...]:
        """Return the outputs that can be wired and that no other module provides, so that existing choices stay
        unique."""
        outputs = self.found.module.outputs.values()
        kept, seen = (self.old.manifest.provides, self.old.outputs) if self.old else ((), {})
        free = [each.name for each in outputs if not (each.sensitive or each.ephemeral or each.name in _HELD)]
        return tuple(name for name in free if name in kept or (name not in given and name not in seen))

    def manifest(self, requires: tuple[str, ...], provides: tuple[str, ...]) -> str:
        if self.old:
            text = hcl.read(self.old.path / loading.MANIFEST)
            return document_edits.apply(text, lambda data: self.edit(data, requires, provides))
        page = self.request.contents.get(PurePosixPath("README.md"), b"").decode("utf-8")
        resources = [address(block) for block in self.found.of("resource")]
        facts = {
            "title": readmes.title(page) or self.request.name.replace("-", " ").capitalize(),
            "summary": readmes.summary(page) or f"A copy of {self.request.address}.",
            "category": "added",
            "version": self.version or "0.1.0",
            "requires": requires,
            "provides": provides,
            "data": [each for each in resources if each.partition(".")[0] in _HOLDING],
            "source": self.origin,
            "schema_comment": platforms.schema_comment(self.platform, "module", 2),
        }
        return templates.render(self.platform, "added/module.yaml.j2", facts)

    @property
    def version(self) -> str:
        """The version in the ref, "" if there is none."""
        match = _VERSION.search(self.request.address)
        return match[1] if match else ""

    def edit(self, data: Any, requires: tuple[str, ...], provides: tuple[str, ...]) -> None:
        """Update what depends on the copy; the rest of the manifest belongs to the platform."""
        for name, text in vars(self.origin).items():
            if data["source"].get(name, "") != text:
                data["source"][name] = text
        if self.version:
            data["version"] = self.version
        for key, names in (("requires", requires), ("provides", provides)):
            if list(data.get(key) or ()) != list(names):
                data[key] = list(names)

    def dummies(self, requires: tuple[str, ...]) -> str:
        entries = []
        for name, variable in self.found.module.variables.items():
            known = self.old.dummies.get(name) if self.old else None
            if known and not types.check(variable.type, known.value, name):
                entries.append(_entry(name, known.text, known.comment))
            elif not (variable.has_default or variable.ephemeral or name in requires or name in shape.FACTS):
                comment = tuple(textwrap.wrap(variable.description, 100))
                entries.append(_entry(name, hcl.render(_harmless(variable)), comment))
        return "\n".join(entries)

    def changes(self, old: Module) -> Iterator[str]:
        assert old.manifest.source is not None
        before, commit = vendored.read(old.path, old.name), old.manifest.source.commit
        if vendored.checksum(before) != old.manifest.source.checksum:
            yield "the copy was edited: the edits will be lost"
        if self.origin == old.manifest.source and before == self.request.contents:
            return
        if commit != self.request.commit:
            yield f"commit {commit[:12] or 'unknown'} → {self.request.commit[:12] or 'unknown'}"
        differing = [path for path in before.keys() | self.request.contents.keys() if self.differs(before, path)]
        yield f"files that differ: {', '.join(map(str, sorted(differing))) or 'none'}"
        yield from differences.describe(source.load(old), self.found)

    def differs(self, before: Mapping[PurePosixPath, bytes], path: PurePosixPath) -> bool:
        return before.get(path) != self.request.contents.get(path)


def _place(text: str) -> str:
    """Return an address without its ref."""
    return text.partition("?")[0]


def _check_name(catalogue: Catalogue, name: str, old: Module | None) -> Iterator[Finding]:
    if old is None:
        yield from scaffold.check_name(catalogue, name)
        return
    origin = old.manifest.source
    why = f"it is a copy of {origin.address}" if origin else "it is a module of this platform"
    yield Finding(f"`{name}` already exists", str(old.path), why, "give the new one another name: --name NAME")


def _write_copy(folder: Path, request: AdoptionRequest) -> ModuleSource:
    """Write the copy into a temporary folder, and load it like the catalogue does."""
    if not any(path.name.endswith((".tf", ".tf.json")) and len(path.parts) == 1 for path in request.contents):
        below = sorted({str(path.parent) for path in request.contents if path.name.endswith((".tf", ".tf.json"))})
        why = f"there are some in {', '.join(below)}" if below else "a module has some in its folder itself"
        raise UsageError(
            "there are no .tf files", where=request.address, why=why, todo="name its folder: REPOSITORY//FOLDER"
        )
    own = [name for name in (loading.MANIFEST, f"{request.name}.dummy") if PurePosixPath(name) in request.contents]
    if own:
        todo = "copy its folder into modules/ instead"
        raise UsageError(f"there is a {own[0]}: it already is an ngp module", where=request.address, todo=todo)
    folder.mkdir()
    texts = {folder / path: data.decode("utf-8") for path, data in request.contents.items()}
    files.write_all({**texts, folder / loading.MANIFEST: _SCANTY})
    try:
        return source.load(loading.load_module(folder))
    except UsageError as error:
        raise UsageError([_here(each, folder) for each in error.findings]) from None


def _here(finding: Finding, folder: Path) -> Finding:
    """Return a finding with its path relative to the module's folder."""
    return replace(finding, where=finding.where.replace(f"{folder}/", ""))


def _wrong(found: ModuleSource, platform: Path) -> Iterator[Finding]:
    for rule in (rules.whole, rules.meanings):
        yield from (fault.finding for fault in rule(found))
    lock = lockfile.load(platform / lockfile.NAME)
    asked = [each for each in found.providers.values() if not each.source.startswith(_BUILT_IN)]
    todo = "choose a version of the module that fits, or lock the provider first (`ngp lock`)"
    yield from (replace(each, todo=todo) for each in lockfile.check(lock, asked, platforms=()))


def _entry(name: str, text: str, comment: Iterable[str]) -> str:
    return "".join(f"# {line}\n" for line in comment) + f"{name} = {text}\n"


def _harmless(variable: Variable) -> Any:
    if variable.type == types.ANY and variable.nullable:
        return None
    return harmless(variable.type)


def harmless(type_: types.Type) -> Any:
    """Return a value of the type that asks for as little as possible."""
    match type_:
        case types.Collection("map"):
            return {}
        case types.Collection():
            return []
        case types.Structure(attributes):
            return {name: harmless(each.type) for name, each in attributes.items() if not each.optional}
        case types.Sequence(elements):
            return [harmless(each) for each in elements]
        case types.NUMBER:
            return 1
        case types.BOOL:
            return False
    return "example"
