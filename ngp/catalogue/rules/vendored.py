"""Rules for copies of others' modules: unedited, complete, and without code that fetches or runs something."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping

from ngp.catalogue import hcl, types, vendored
from ngp.catalogue.rules import reading, shape, shared
from ngp.catalogue.rules.source import Fault, ModuleSource, address

_UNREAD = ("*.tofu", "*.tofu.json")
_UNTOLD: Mapping[str, str] = {
    "external": "it runs a program on the machine of whoever plans",
    "template_file": "its template can read any file; templatefile() does the same",
    "terraform_remote_state": "it reads another state; ngp wires outputs",
}


def copy(source: ModuleSource) -> Iterator[Fault]:
    """Require that the copy is unchanged."""
    origin = source.module.manifest.source
    if origin and vendored.checksum(vendored.read(source.module.path, source.module.name)) != origin.checksum:
        where = source.manifest.where("source.checksum")
        todo = f"take it back from Git, or add it again: ngp module add {origin.address!r} --name {source.module.name}"
        why = "a change of a copy is lost when the next version is added; make it at its source"
        yield source.fault("copy", f"the copy of {origin.address} has been edited", where, why=why, todo=todo)


def whole(source: ModuleSource) -> Iterator[Fault]:
    """Require that everything the module needs is in its folder, and that only the root configures providers."""
    yield from _modules(source)
    yield from _providers(source)
    yield from reading.outside(source)
    yield from _programs(source)
    for pattern in _UNREAD:
        for path in sorted(source.module.path.glob(pattern)):
            why = "it reads .tf and .tf.json files"
            yield source.fault("files", f"ngp does not read {path.name}", str(path), why=why)


def meanings(source: ModuleSource) -> Iterator[Fault]:
    """Require that inputs named like a fact or a common input take ngp's values."""
    for name, variable in source.module.variables.items():
        type_ = shared.type_of(name)
        if type_ is not None and variable.type not in (type_, types.ANY):
            why = f"ngp gives an input of that name a {types.render(type_)}"
            what = f"the input `{name}` is a {types.render(variable.type)}"
            yield source.fault("common-inputs", what, str(variable.place), why=why)


def _modules(source: ModuleSource) -> Iterator[Fault]:
    for block in source.of("module"):
        source_argument = block.body.attributes.get("source")
        text = source_argument.text.strip('"') if source_argument else ""
        inside = text.startswith("./") and not posixpath.normpath(text).startswith("..")
        why = "it would be fetched at run time"
        if text.startswith(("./", "../")):
            why = "its copy would hold a module within a module" if inside else "that lies outside its folder"
        todo = f"add what `{'.'.join(block.labels)}` calls by itself, or write a module of your own that has both"
        yield source.fault("nested-module", f"the module calls another: {text}", block.where, why=why, todo=todo)


def _providers(source: ModuleSource) -> Iterator[Fault]:
    yield from (each for each in shape.providers(source) if each.rule in {"provider", "backend"})
    for block in source.of("terraform"):
        for inner in block.body.of("required_providers"):
            for attribute in inner.body.attributes.values():
                if attribute.text.startswith("{") and "configuration_aliases" in hcl.elements(attribute):
                    why = "a rendered root has one configuration of each provider"
                    what = f"it wants several configurations of `{attribute.name}`"
                    yield source.fault("provider", what, attribute.where, why=why)


def _programs(source: ModuleSource) -> Iterator[Fault]:
    for body in source.bodies.values():
        for owner, block in ((top, block) for top in body.blocks for block in (top, *reading.blocks(top.body))):
            if block.type == "provisioner" and block.labels == ("local-exec",):
                why = "it runs a program on the machine of whoever applies"
                about = address(owner) or owner.type
                yield source.fault("program", f"`{about}` has a local-exec", block.where, why=why)
            if block.type == "data" and block.labels and block.labels[0] in _UNTOLD:
                why = _UNTOLD[block.labels[0]]
                yield source.fault("program", f"there is a `{address(block)}`", block.where, why=why)
