"""Promotion: edits the files of a target environment to match a source, as texts, without writing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ngp import yaml
from ngp.catalogue import hcl, loading
from ngp.environments import document_edits, documents, references, resolving, revisions, tfvars
from ngp.environments.comparing import DifferenceStatus, EnvironmentDifference, Side, Topic
from ngp.environments.environment import Platform
from ngp.environments.resolving import Resolved
from ngp.environments.tfvars_edits import Edit, Key, Setting, edit
from ngp.errors import UsageError, nearest


@dataclass(frozen=True)
class Promotion:
    """`files` are the whole texts of the target's two files; `left` are differences that stay, with reasons.

    `secrets` are sensitive values in these files, for masking.
    """

    files: Mapping[Path, str]
    promoted: tuple[EnvironmentDifference, ...]
    left: tuple[tuple[EnvironmentDifference, str], ...]
    secrets: tuple[str, ...] = ()


def prepare(
    platform: Platform, source: Side, target: Side, found: Sequence[EnvironmentDifference], only: Sequence[str] = ()
) -> Promotion:
    """Decide what of the differences goes over, with `only` those of these units, and edit the target's files.

    Facts and declared differences stay, also expired ones: they belong to somebody. Units that only the target has
    stay, for removing one destroys something. Raises UsageError for an unknown unit of `only`, and for modules of the
    working tree that no commit holds.
    """
    for name in only:
        if name not in source.environment.units:
            raise UsageError(
                f"`{source.environment.name}` has no unit `{name}`", todo=nearest(name, source.environment.units)
            )
    reasons = {each: _reason(each, only) for each in found}
    promoted = tuple(each for each, reason in reasons.items() if not reason)
    path, values = target.environment.path / documents.FILE, target.environment.path / tfvars.FILE
    catalogue = _catalogue(platform, source, target) if any(each.topic is Topic.MODULE for each in promoted) else None
    changes = document_edits.DocumentChanges(
        units={
            each.unit: (source.environment.units[each.unit].module, source.environment.units[each.unit].tags)
            for each in promoted
            if each.topic is Topic.UNIT
        },
        wires=_wires(source, promoted),
        catalogue=catalogue,
    )
    files = {
        path: document_edits.promote(hcl.read(path), changes),
        values: edit(hcl.read(values) if values.is_file() else "", _edit(source, promoted), values),
    }
    left = tuple((each, reason) for each, reason in reasons.items() if reason)
    return Promotion(files, promoted, left, (*_secrets(source), *_secrets(target)))


def resolve(platform: Platform, name: str, files: Mapping[Path, str]) -> Resolved:
    """Return the environment with these files. Raises one UsageError with every finding."""
    home = platform.environment_path(name)
    document, path = home / documents.FILE, home / tfvars.FILE
    environment = documents.read(platform, name, yaml.parse(files[document], document))
    catalogue = loading.load(revisions.catalogue_path(platform, environment), platform.cache)
    return resolving.assemble(platform, environment, catalogue, tfvars.parse(files[path], path))


def _reason(found: EnvironmentDifference, only: Sequence[str]) -> str:
    """Return why a difference is not promoted, "" if it is."""
    if found.standing is not DifferenceStatus.UNDECLARED:
        return f"declared by {found.declared.owner}" if found.declared else "declared"
    if found.topic is Topic.STATE:
        return "the kind of state is changed by hand"
    if found.topic is Topic.UNIT and not found.source:
        return "only the target has this unit; `ngp configure` removes it"
    if only and found.unit not in only:
        return "it is not of the units of --only"
    return ""


def _catalogue(platform: Platform, source: Side, target: Side) -> str | None:
    """The catalogue that the target gets; None leaves it. A pinned target stays pinned: to the source's commit."""
    if source.environment.catalogue or not target.environment.catalogue:
        return source.environment.catalogue
    outcome = revisions.git(platform, "status", "--porcelain", "--", "modules")
    head = revisions.find(platform, "HEAD")
    if head is None or outcome.stdout.strip():
        raise UsageError(
            f"the modules of `{source.environment.name}` are not committed",
            where=str(platform.path / "modules"),
            why=f"`{target.environment.name}` is pinned to a commit (`catalogue: {target.environment.catalogue}`)",
            todo="commit them first",
        )
    return head


def _wires(source: Side, promoted: Sequence[EnvironmentDifference]) -> dict[tuple[str, str], str]:
    """The wires to set, "" for those to take out; a new unit brings all of its own."""
    wires = {(each.unit, each.name): each.source for each in promoted if each.topic is Topic.WIRE}
    for each in promoted:
        if each.topic is Topic.UNIT and not each.target:
            own = source.environment.wiring.get(each.unit, {})
            wires |= {(each.unit, name): str(ref) for name, ref in own.items()}
    return wires


def _edit(source: Side, promoted: Sequence[EnvironmentDifference]) -> Edit:
    keys = [_key(each) for each in promoted if each.topic is Topic.VALUE and each.source]
    gone = [_key(each) for each in promoted if each.topic is Topic.VALUE and not each.source]
    for each in promoted:
        if each.topic is Topic.UNIT and not each.target:
            keys += [(each.unit, name) for name in source.values.unit(each.unit)]
    known = frozenset(_key(each) for each in promoted if each.target)
    titles, settings = _written(source, keys, known) if keys else ({}, {})
    return Edit(settings=settings, removals=frozenset(gone), titles=titles)


def _secrets(side: Side) -> Iterator[str]:
    """The lines of the sensitive values that a terraform.tfvars holds in plain text, which a sandbox may have."""
    for unit in side.environment.units:
        for name, value in {**side.values.common, **side.values.unit(unit)}.items():
            variable = side.variable(unit, name)
            if variable and (variable.sensitive or variable.ephemeral) and not references.is_reference(value.value):
                yield from (line.strip() for line in hcl.render(value.value).strip('"').splitlines() if line.strip())


def _key(found: EnvironmentDifference) -> Key:
    return (found.unit, found.name) if found.unit else (found.name,)


def _written(
    source: Side, keys: Sequence[Key], known: frozenset[Key]
) -> tuple[dict[str, tuple[str, ...]], dict[Key, Setting]]:
    """The texts of values as the source has them, with their comments, and the comments of the units' objects.

    A value that is new to the target is indented anew; in the place of one that is `known` it stays as it is.
    """
    path = source.values.path
    text = hcl.read(path)
    attributes = hcl.parse(text, path).attributes
    titles = {key[0]: attributes[key[0]].comment for key in keys if len(key) == 2}
    settings = {}
    for key in keys:
        attribute = attributes[key[0]] if len(key) == 1 else hcl.elements(attributes[key[0]])[key[1]]
        lead = text[text.rfind("\n", 0, attribute.span.start) + 1 : attribute.span.start]
        indent = lead if not lead.strip() else ""
        is_kept = key in known or "<<" in attribute.text
        plain = attribute.text if is_kept else attribute.text.replace(f"\n{indent}", "\n")
        settings[key] = Setting(plain, attribute.comment)
    return titles, settings
