"""The rule that a cut name still tells units apart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ngp.catalogue.rules.calls import Call, Expression
from ngp.catalogue.rules.source import Fault, ModuleSource, address

_NAMES = frozenset({
    "alarm_name", "bucket", "cluster_id", "cluster_identifier", "cluster_name", "creation_token", "domain_name",
    "final_snapshot_identifier", "function_name", "identifier", "key_name", "name", "replication_group_id",
    "table_name", "user_group_id", "user_id",
})  # fmt: skip
_TELLING = frozenset({"environment", "post_tag", "pre_tag", "project", "unit"})  # inputs that tell units apart
_UNIT = frozenset({"environment", "unit"})  # no two units have both in common
# digest → its characters
_DIGESTS: Mapping[str, int] = {
    "base64sha256": 44, "base64sha512": 88, "md5": 32, "sha1": 40, "sha256": 64, "sha512": 128, "uuidv5": 36,
}  # fmt: skip
# Functions whose result is no part of a name, whatever it says about one.
_QUESTIONS = ("alltrue", "anytrue", "can", "contains", "endswith", "length", "startswith", "strcontains")
_SAME = frozenset({"lower", "trim", "trimprefix", "trimspace", "trimsuffix", "upper"})  # no longer than their argument
_CALLS = re.compile(rf"(?<![\w.])({'|'.join((*_DIGESTS, *_QUESTIONS, 'format', 'substr'))})\s*\(")
_VERB = re.compile(r"%[-+# 0]*\d*(?:\.(?P<most>\d*))?(?:\[(?P<at>\d+)\])?(?P<mode>[A-Za-z%])")
_LOCAL = re.compile(r"(?<![\w.-])local\.([\w-]+)")
_MOST_STEPS = 1000  # of one name; those of the catalogue take at most 15
_LEAST = 6  # characters of a digest: two of a hundred units meet in one of five in 200 cases
_RANDOM = re.compile(r"(?<![\w.])random_(?:bytes|id|string|uuid)\.")
_LOOP = re.compile(r"(?<![\w.])for\s+(\w+)(?:\s*,\s*(\w+))?\s+in\b")


def cut_names(source: ModuleSource) -> Iterator[Fault]:
    """A name that is cut has a digest of what is cut: else two units may meet in one name."""
    for block in source.of("resource"):
        for name in sorted(_NAMES & block.body.attributes.keys()):
            attribute = block.body.attributes[name]
            if _may_meet(source, Expression.of(attribute)):
                what = f"`{name}` of `{address(block)}` is cut, and two units may get the same"
                todo = f"add a digest of what is cut, {_LEAST} characters or more: substr(sha1(…), 0, 8)"
                yield source.flaw(block, "cut-name", what, where=attribute.where, todo=todo)


def _may_meet(source: ModuleSource, name: Expression) -> bool:
    """Whether a name has a part that is cut and nothing that tells units apart."""
    texts = [name.code, *(source.locals[each].code for each in source.locals_in(name.code))]
    if any(_RANDOM.search(text) for text in texts):
        return False
    try:
        found = _Reader(source).read(name)
    except (RecursionError, _TooLongError):
        return False
    return not (found.cut <= found.digested or found.digested >= _UNIT)


@dataclass(frozen=True)
class _Parts:
    """The inputs that tell units apart in a name: those of which it has the beginning only, those of which it has not
    all, and those of which it has a digest of all, long enough."""

    cut: frozenset[str] = frozenset()
    partial: frozenset[str] = frozenset()
    digested: frozenset[str] = frozenset()

    def __or__(self, other: _Parts) -> _Parts:
        return _Parts(self.cut | other.cut, self.partial | other.partial, self.digested | other.digested)


class _TooLongError(Exception):
    """An expression takes too many steps to read, such as one of locals that need each other."""


class _Reader:
    """Reads a name's expression, each local once."""

    def __init__(self, source: ModuleSource) -> None:
        self.source = source
        self.parts: dict[str, _Parts] = {}
        self.sizes: dict[str, int | None] = {}
        self.steps = 0

    def read(self, text: Expression) -> _Parts:
        self._step()
        found, rest, position = _Parts(), "", 0
        for call in text.calls(_CALLS):
            rest += text.code[position : call.start]
            position = call.end
            if call.name in _DIGESTS:
                found |= self._digest(call)
            elif call.name == "substr" and len(call.arguments) == 3:
                found |= self._substr(*call.arguments)
            elif call.name in {"format", "substr"}:
                found |= self._format(call)
        for name in _LOCAL.findall(rest + text.code[position:]):
            found |= self._local(name)
        return found

    def _step(self) -> None:
        self.steps += 1
        if self.steps > _MOST_STEPS:
            raise _TooLongError

    def _local(self, name: str) -> _Parts:
        if name not in self.parts:
            self.parts[name] = _Parts()  # for one that needs itself
            attribute = self.source.locals.get(name)
            self.parts[name] = self.read(Expression.of(attribute)) if attribute else _Parts()
        return self.parts[name]

    def _digest(self, call: Call) -> _Parts:
        found = _Parts()
        for each in call.arguments:
            inner = self.read(each)
            found |= inner | _Parts(digested=self._telling(each) - inner.partial)
        return found

    def _substr(self, text: Expression, offset: Expression, length: Expression) -> _Parts:
        start, most = _number(offset), _length(length)
        size = self._size(text)
        is_whole = length.code.strip() == "-1" or (size is not None and most is not None and size <= most)
        if start == 0 and is_whole:
            return self.read(text)
        telling = self._telling(text)
        found = _Parts(partial=telling, cut=telling if start == 0 else frozenset())
        digest, size = self._beginning(text)
        left = size - (start or 0) if start is None or start >= 0 else min(size, -start)
        if digest and (most is None or most >= _LEAST) and left >= _LEAST:
            found |= self._digest(digest)
        return found

    def _format(self, call: Call) -> _Parts:
        form, *rest = call.arguments or [Expression("", "", "")]
        template = form.bare().template()
        most = _precisions(form.text) if template and template.is_literal else {}
        found = self.read(form)
        for position, each in enumerate(rest):
            if position in most:
                found |= self._substr(each, Expression("0", "0", ""), Expression(*[str(most[position])] * 3))
            else:
                found |= self.read(each)
        return found

    def _beginning(self, text: Expression) -> tuple[Call | None, int]:
        """Return the digest that a text begins with, and how many of its characters; None if it begins otherwise."""
        seen: set[str] = set()
        most = max(_DIGESTS.values())
        while True:
            self._step()
            text = text.bare()
            call, template, found = text.call(), text.template(), _LOCAL.fullmatch(text.code)
            inner = None
            if template and template.interpolations and template.interpolations[0][0] == template.inner[0]:
                inner = text.interpolated(template.interpolations[0])
            elif call and call.name in _DIGESTS:
                return call, min(most, _DIGESTS[call.name])
            elif call and call.arguments and call.name in {*_SAME, "replace"}:
                inner = call.arguments[0]
            elif call and call.name == "substr" and len(call.arguments) == 3 and _number(call.arguments[1]) == 0:
                length = _length(call.arguments[2])
                inner, most = call.arguments[0], most if length is None else min(most, length)
            elif found and found[1] in self.source.locals.keys() - seen:
                seen.add(found[1])
                inner = Expression.of(self.source.locals[found[1]])
            if inner is None:
                return None, 0
            text = inner

    def _size(self, text: Expression) -> int | None:
        """Return how many characters a text has at most; None if it is not known."""
        text = text.bare()
        call, template, found = text.call(), text.template(), _LOCAL.fullmatch(text.code)
        if template:
            inner = [text.interpolated(span) for span in template.interpolations]
            sizes = [each and self._size(each) for each in inner]
            spans = ((0, 2), *template.interpolations)
            fixed = len(text.text) - sum(last - first for first, last in spans)
            return None if None in sizes else fixed + sum(each or 0 for each in sizes)
        if call and call.name == "substr" and len(call.arguments) == 3:
            return _length(call.arguments[2])
        if call and call.name in _SAME and call.arguments:
            return self._size(call.arguments[0])
        if found and found[1] not in self.sizes:
            self.sizes[found[1]] = None  # for one that needs itself
            attribute = self.source.locals.get(found[1])
            self.sizes[found[1]] = self._size(Expression.of(attribute)) if attribute else None
        return self.sizes[found[1]] if found else _DIGESTS.get(call.name) if call else None

    def _telling(self, text: Expression) -> frozenset[str]:
        """Return the inputs that tell units apart in a text; in a loop, those of all of the expression."""
        loops = {name for found in _LOOP.findall(text.around) for name in found if name}
        in_loop = not loops.isdisjoint(re.findall(r"\w+", text.code))
        return frozenset(self.source.inputs(text.around if in_loop else text.code) & _TELLING)


def _number(text: Expression) -> int | None:
    code = text.bare().code
    return int(code) if re.fullmatch(r"-?[0-9]+", code) else None


def _length(text: Expression) -> int | None:
    """The length that `substr` is given; None if it is not known, or says "to the end"."""
    found = _number(text)
    return found if found is None or found >= 0 else None


def _precisions(form: str) -> dict[int, int]:
    """Return the arguments of a format that it cuts, from 0, and to how many characters."""
    found, position = {}, 0
    for verb in _VERB.finditer(form):
        if verb["mode"] == "%":
            continue
        position = int(verb["at"]) - 1 if verb["at"] else position
        if verb["most"] is not None and verb["mode"] in "qsv":
            found[position] = int(verb["most"] or 0)
        position += 1
    return found
