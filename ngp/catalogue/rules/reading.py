"""Rules for the files that a copied module reads: only files in its own folder, at known paths."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ngp.catalogue import evaluating, hcl, scanning
from ngp.catalogue.operators import ExpressionError, UnknownError
from ngp.catalogue.rules import names
from ngp.catalogue.rules.source import Fault, ModuleSource, address
from ngp.catalogue.scanning import Scanned
from ngp.errors import UsageError

_HERE = "/module"  # what `path.module` is for the evaluation
_CALL = re.compile(r"(?<![\w.-])(?P<name>(?:\w+\s*::\s*)*(?:file\w*|templatefile|templatestring|direxists))\s*\(")
_ELSEWHERE = re.compile(r"(?<![\w.-])path\s*\.\s*(?:root|cwd)(?![\w-])")
_WHY = "a copy may read the files of its own folder only, and at plan nothing holds it back"
_TODO = 'write the path as "${path.module}/…" at its source, without inputs'
# Arguments that a provider takes for paths on the machine that runs Terraform, of any type of resource …
_PATHS = frozenset(
    {
        "config_path",
        "config_paths",
        "file_path",
        "filename",
        "key_file",
        "output_path",
        "private_key_path",
        "source_dir",
        "source_file",
        "source_path",
        "working_dir",
        "zip_file",
    }
)
# … and of these types only.
_TYPED: Mapping[str, frozenset[str]] = {
    "aws_s3_bucket_object": frozenset({"source"}),
    "aws_s3_object": frozenset({"source"}),
    "helm_release": frozenset({"chart"}),
    "template_dir": frozenset({"destination_dir"}),
}
_PROVISIONERS: Mapping[str, frozenset[str]] = {
    "file": frozenset({"source"}),
    "remote-exec": frozenset({"script", "scripts"}),
}


def outside(source: ModuleSource) -> Iterator[Fault]:
    """Require that each path a module reads is known and inside its folder."""
    for scanned in source.scanned:
        for match in _ELSEWHERE.finditer(scanned.code):
            yield _fault(source, scanned, match.start(), f"`{match.group()}` is outside of the module's folder")
        for match in _CALL.finditer(scanned.code):
            yield from _call(source, scanned, match)
    for body in source.bodies.values():
        yield from _arguments(source, body)


def blocks(body: hcl.Body) -> Iterator[hcl.Block]:
    """Yield all blocks of a body, at any depth."""
    for block in body.blocks:
        yield block
        yield from blocks(block.body)


def _call(source: ModuleSource, scanned: Scanned, match: re.Match[str]) -> Iterator[Fault]:
    name = "".join(match["name"].split()).removeprefix("core::")
    if "::" in name or name == "templatestring":
        why = "what it reads cannot be known before it runs"
        yield _fault(source, scanned, match.start(), f"the module calls `{name}`", why)
        return
    arguments = _split(scanned, match.end())
    path, reason = _resolve(source, arguments[0] if arguments else "")
    if name == "fileset" and not reason:
        pattern, reason = _value(source, arguments[1] if len(arguments) > 1 else "")
        if isinstance(pattern, str) and ".." in pattern.split("/"):
            reason = "it leaves the module's folder"
    if reason:
        call = " ".join(f"{name}({', '.join(arguments)})".split())
        yield _fault(source, scanned, match.start(), f"`{call[:80]}`: {reason}")
    elif name == "templatefile":
        yield from _template(source, scanned, match.start(), path)


def _template(source: ModuleSource, scanned: Scanned, offset: int, path: str) -> Iterator[Fault]:
    """A template calls functions, too."""
    file = source.module.path / posixpath.relpath(path, _HERE)
    if not file.is_file() or file.is_symlink():
        yield _fault(source, scanned, offset, f"the template {file.name} is missing")
        return
    try:
        text = hcl.read(file)
        scanned = scanning.scan(f"x = <<NGP_TEMPLATE\n{text}\nNGP_TEMPLATE\n", file)
    except UsageError as error:
        yield _fault(source, scanned, offset, f"cannot read the template {file.name}", error.findings[0].what)
        return
    for call in _CALL.finditer(scanned.code):
        line = scanned.line(call.start()) - 1
        what = f"the template calls `{call['name']}`"
        yield source.fault("outside", what, f"{file}:{line}", why=_WHY, todo="give it the text as a variable")


def _arguments(source: ModuleSource, body: hcl.Body) -> Iterator[Fault]:
    for block in blocks(body):
        if block.type in {"resource", "data", "ephemeral"} and block.labels:
            paths, about = _PATHS | _TYPED.get(block.labels[0], frozenset()), address(block)
        elif block.type == "provisioner" and block.labels:
            paths, about = _PROVISIONERS.get(block.labels[0], frozenset()), f"provisioner {block.labels[0]}"
        else:
            continue
        for name, attribute in block.body.attributes.items():
            if name in paths:
                _, reason = _resolve(source, attribute.text)
                if reason:
                    what = f"`{name}` of `{about}`: {reason}"
                    yield source.fault("outside", what, attribute.where, why=_WHY, todo=_TODO)


def _resolve(source: ModuleSource, text: str) -> tuple[str, str]:
    """Return the path of an expression, and why it must not be read ("" if it may)."""
    value, reason = _value(source, text)
    paths = value if isinstance(value, list) and value else [value]
    if reason or value is None:
        return "", reason
    if not all(isinstance(path, str) and f"{posixpath.normpath(path)}/".startswith(f"{_HERE}/") for path in paths):
        return "", "it leaves the module's folder"
    return posixpath.normpath(str(paths[0])), ""


def _value(source: ModuleSource, text: str) -> tuple[Any, str]:
    try:
        return evaluating.evaluate_text(text, names.scope(source, path={"module": _HERE})), ""
    except (UnknownError, ExpressionError, RecursionError):
        return "", "the path cannot be resolved before Terraform runs"


def _split(scanned: Scanned, start: int) -> list[str]:
    """The arguments of a call whose bracket ends at `start`, as texts."""
    depth, begin, found = 1, start, []
    for offset in range(start, len(scanned.code)):
        sign = scanned.code[offset]
        depth += (sign in "([{") - (sign in ")]}")
        if depth == 0 or (depth == 1 and sign == ","):
            found.append(scanned.source[begin:offset].strip())
            begin = offset + 1
        if depth == 0:
            break
    return [each for each in found if each]


def _fault(source: ModuleSource, scanned: Scanned, offset: int, what: str, why: str = _WHY) -> Fault:
    return source.fault("outside", what, scanned.where(offset), why=why, todo=_TODO)
