"""The rule that a cut name still tells units apart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ngp.catalogue.rules.source import Fault, ModuleSource, address

_NAMES = frozenset({"bucket", "cluster_id", "domain_name", "identifier", "name", "replication_group_id"})
_TELLING = frozenset({"environment", "post_tag", "pre_tag", "project", "unit"})  # inputs that tell units apart
_CUT = re.compile(r"(?<![\w.])substr\s*\(")
_DIGEST = re.compile(r"(?<![\w.])(?:sha1|sha256|sha512|md5|uuidv5)\s*\(")
_RANDOM = re.compile(r"(?<![\w.])random_(?:bytes|id|string|uuid)\.")
_LOOP = re.compile(r"(?<![\w.])for\s+(\w+)(?:\s*,\s*(\w+))?\s+in\b")


def cut_names(source: ModuleSource) -> Iterator[Fault]:
    """A name that is cut has a digest of the whole in it: else two units may meet in one name."""
    for block in source.of("resource"):
        for name in sorted(_NAMES & block.body.attributes.keys()):
            attribute = block.body.attributes[name]
            if _may_meet(source, attribute.code):
                what = f"`{name}` of `{address(block)}` is cut, and two units may get the same"
                yield source.flaw(
                    block, "cut-name", what, where=attribute.where, todo="add a digest: substr(sha1(…), 0, 8)"
                )


def _may_meet(source: ModuleSource, code: str) -> bool:
    """Whether a name has a part that is cut and nothing that is unique."""
    texts = _texts(source, code)
    if any(_RANDOM.search(text) for text in texts) or any(_has_whole_digest(source, text) for text in texts):
        return False
    for text in texts:
        if _is_cut(source, text) and not any(_DIGEST.search(part) for part in _texts(source, text)):
            return True
    return False


def _texts(source: ModuleSource, code: str) -> list[str]:
    return [code, *(source.locals[each].code for each in source.locals_in(code))]


def _is_cut(source: ModuleSource, text: str) -> bool:
    """Whether an expression takes only the beginning of what tells units apart."""
    loops = {name for found in _LOOP.findall(text) for name in found if name}
    for whole, *rest in _calls(text, _CUT):
        from_start = bool(rest) and rest[0].strip() == "0"
        in_loop = not loops.isdisjoint(re.findall(r"\w+", whole))
        if from_start and not _TELLING.isdisjoint(source.inputs(text if in_loop else whole)):
            return True
    return False


def _has_whole_digest(source: ModuleSource, text: str) -> bool:
    """Whether an expression has a digest of what tells units apart, and not of the part that is left of it."""
    for arguments in _calls(text, _DIGEST):
        whole = ",".join(arguments)
        is_cut = any(_CUT.search(part) for part in _texts(source, whole))
        if not is_cut and not _TELLING.isdisjoint(source.inputs(whole)):
            return True
    return False


def _calls(code: str, function: re.Pattern[str]) -> Iterator[Sequence[str]]:
    """Yield the arguments of each call of a function."""
    for found in function.finditer(code):
        arguments, depth = [""], 1
        for character in code[found.end() :]:
            depth += (character in "([{") - (character in ")]}")
            if depth == 0:
                break
            if character == "," and depth == 1:
                arguments.append("")
            else:
                arguments[-1] += character
        yield arguments
