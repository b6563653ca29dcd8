"""The rule that a cut name still tells units apart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ngp.catalogue.rules.source import Fault, ModuleSource, address

_NAMES = frozenset({
    "alarm_name", "bucket", "cluster_id", "cluster_identifier", "cluster_name", "creation_token", "domain_name",
    "final_snapshot_identifier", "function_name", "identifier", "key_name", "name", "replication_group_id",
    "table_name", "user_group_id", "user_id",
})  # fmt: skip
_TELLING = frozenset({"environment", "post_tag", "pre_tag", "project", "unit"})  # inputs that tell units apart
_UNIT = frozenset({"environment", "unit"})  # no two units have both in common
_CUT = re.compile(r"(?<![\w.])substr\s*\(")
_FORMAT = re.compile(r"(?<![\w.])format\s*\(")
_SHORTER = re.compile(r"%-?\d*\.\d+s")  # a format that cuts
_DIGEST = re.compile(r"(?<![\w.])(?:(?:base64)?sha(?:1|256|512)|md5|uuidv5)\s*\(")
_WHOLLY = re.compile(rf"(?:(?:lower|upper)\s*\(\s*)?{_DIGEST.pattern}")
_LOCAL = re.compile(r"local\.([\w-]+)")
_LEAST = 6  # characters of a digest: two of a hundred units meet in one of five in 200 cases
_RANDOM = re.compile(r"(?<![\w.])random_(?:bytes|id|string|uuid)\.")
_LOOP = re.compile(r"(?<![\w.])for\s+(\w+)(?:\s*,\s*(\w+))?\s+in\b")


def cut_names(source: ModuleSource) -> Iterator[Fault]:
    """A name that is cut has a digest of what is cut: else two units may meet in one name."""
    for block in source.of("resource"):
        for name in sorted(_NAMES & block.body.attributes.keys()):
            attribute = block.body.attributes[name]
            if _may_meet(source, attribute.text):
                what = f"`{name}` of `{address(block)}` is cut, and two units may get the same"
                todo = f"add a digest of what is cut, {_LEAST} characters or more: substr(sha1(…), 0, 8)"
                yield source.flaw(block, "cut-name", what, where=attribute.where, todo=todo)


def _may_meet(source: ModuleSource, code: str) -> bool:
    """Whether a name has a part that is cut and nothing that tells units apart."""
    texts = _texts(source, code)
    if any(_RANDOM.search(text) for text in texts):
        return False
    cut = {name for text in texts for name in _cut(source, text)}
    digested = _digested(source, code)
    return not (cut <= digested or digested >= _UNIT)


def _texts(source: ModuleSource, code: str) -> list[str]:
    return [code, *(source.locals[each].text for each in source.locals_in(code))]


def _cut(source: ModuleSource, text: str) -> set[str]:
    """Return the inputs that tell units apart of which an expression takes only the beginning."""
    found = set()
    for whole, *rest in _calls(text, _CUT):
        from_start = bool(rest) and rest[0].strip() == "0"
        if from_start and not (_is_digest(source, whole) and _is_long(rest)):
            found |= _telling(source, text, whole)
    for form, *rest in _calls(text, _FORMAT):
        if _SHORTER.search(form):
            found |= _telling(source, text, ",".join(rest))
    return found


def _digested(source: ModuleSource, code: str) -> set[str]:
    """Return the inputs that tell units apart of which a name has a digest: of all of them, and long enough."""
    kept = _without_cuts(source, code)
    found = set()
    for arguments in _calls(kept, _DIGEST):
        whole = ",".join(arguments)
        if not any(_CUT.search(part) for part in _texts(source, whole)):
            found |= _telling(source, code, whole)
    for name in _LOCAL.findall(kept):
        found |= _digested(source, source.locals[name].text) if name in source.locals else set()
    return found


def _without_cuts(source: ModuleSource, text: str) -> str:
    """Return an expression without what it cuts, but for digests that stay long enough."""
    for arguments in _calls(text, _CUT):
        if not (_is_digest(source, arguments[0]) and _is_long(arguments[1:])):
            text = text.replace(",".join(arguments), "")
    return text


def _is_digest(source: ModuleSource, code: str) -> bool:
    """Whether an expression begins with a digest, and so keeps it where it is cut."""
    code = code.strip()
    while (found := _LOCAL.fullmatch(code)) and found[1] in source.locals:
        code = source.locals[found[1]].text.strip()
    return _WHOLLY.match(code) is not None


def _is_long(rest: Sequence[str]) -> bool:
    """Whether the offset and the length of a cut keep enough of a digest, as far as they are known."""
    length = rest[1].strip() if len(rest) > 1 else ""
    return not length.isdigit() or int(length) >= _LEAST


def _telling(source: ModuleSource, text: str, part: str) -> set[str]:
    """Return the inputs that tell units apart in a part of an expression; in a loop, those of all of it."""
    loops = {name for found in _LOOP.findall(text) for name in found if name}
    in_loop = not loops.isdisjoint(re.findall(r"\w+", part))
    return source.inputs(text if in_loop else part) & _TELLING


def _calls(code: str, function: re.Pattern[str]) -> Iterator[Sequence[str]]:
    """Yield the arguments of each call of a function."""
    for found in function.finditer(code):
        arguments, opened, before = [""], ["("], ""
        for character in code[found.end() :]:
            if opened[-1] == '"':  # in a text only its end and an interpolation count
                if character == '"' and before != "\\":
                    opened.pop()
                elif character == "{" and before in "$%":
                    opened.append("{")
            elif character in '([{"':
                opened.append(character)
            elif character in ")]}":
                opened.pop()
            if not opened:
                break
            if character == "," and opened == ["("]:
                arguments.append("")
            else:
                arguments[-1] += character
            before = character
        yield arguments
