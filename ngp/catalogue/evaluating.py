"""Evaluates HCL expressions with known values, without Terraform.

It raises UnknownError if it cannot be sure of Terraform's answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ngp.catalogue import functions, hcl, literals, operators
from ngp.catalogue.operators import ExpressionError, UnknownError
from ngp.catalogue.scanning import Scanned, Template
from ngp.errors import UsageError

Scope = Mapping[str, Any]


@dataclass(frozen=True)
class Unset:
    """The value of a declared name that only Terraform knows."""


UNSET = Unset()


def evaluate(attribute: hcl.Attribute, scope: Scope) -> Any:
    """Return the value of an expression; `scope` maps names such as `var` to values.

    Raises:
        ExpressionError: Terraform would refuse to evaluate it.
        UnknownError: it needs what is not in `scope`, or more of the language than is known here.
    """
    return _Evaluator(attribute.scanned, scope).value(attribute.node)


def evaluate_text(text: str, scope: Scope) -> Any:
    """Like `evaluate`, for the text of an expression."""
    try:
        body = hcl.parse(f"x = ({text}\n)\n", Path("expression"))
    except UsageError as error:
        raise UnknownError(str(error)) from None
    return evaluate(body.attributes["x"], scope)


@dataclass(frozen=True)
class _Evaluator:
    scanned: Scanned
    scope: Scope

    def value(self, node: Any) -> Any:
        node = literals.unwrap(node)
        read: Callable[[Any], Any] | None = getattr(self, f"_{node.data}", None)
        if read is None:
            raise UnknownError(node.data)
        return read(node)

    def text(self, node: Any) -> str:
        return hcl.source(node, self.scanned)

    def _string(self, node: Any) -> Any:
        return self.template(self.scanned.templates[node.meta.start_pos])

    def _heredoc_template(self, node: Any) -> Any:
        return self._string(node)

    def template(self, template: Template) -> Any:
        if template.is_literal:
            return self.literal(template)
        if template.is_heredoc:
            raise UnknownError("a heredoc with interpolations")
        start, end = template.inner
        parts: list[Any] = []
        for first, last in template.interpolations:
            parts += [self.piece(start, first), self.interpolation(first, last)]
            start = last
        parts.append(self.piece(start, end))
        parts = [part for part in parts if part != ""] or [""]
        if len(parts) == 1 and len(template.interpolations) == 1:
            return parts[0]
        return "".join(operators.to_string(part) for part in parts)

    def piece(self, start: int, end: int) -> str:
        return self.literal(Template(start, end, (start, end), is_literal=True))

    def literal(self, template: Template) -> str:
        try:
            return literals.string(template, self.scanned)
        except UsageError as error:
            raise ExpressionError(str(error)) from None

    def interpolation(self, first: int, last: int) -> Any:
        source = self.scanned.source[first:last]
        if source.startswith("%") or "~" in {source[2:3], source[-2:-1]}:
            raise UnknownError("a template directive")
        return evaluate_text(source[2:-1], self.scope)

    def _int_lit(self, node: Any) -> Any:
        return operators.to_number(self.text(node))

    _float_lit = _int_lit

    def _literal_value(self, node: Any) -> Any:
        return {"true": True, "false": False, "null": None}[str(node.children[0])]

    def _tuple(self, node: Any) -> Any:
        return [self.value(child) for child in _trees(node)]

    def _object(self, node: Any) -> Any:
        found = {}
        for element in literals.object_elements(node, self.scanned):
            key_node, _, value_node = element.children
            found[self.key(key_node)] = self.value(value_node)
        return found

    def key(self, node: Any) -> str:
        inner = node.children[0]
        bare = inner if inner.data == "keyword" else literals.unwrap(inner)
        if bare.data in {"keyword", "identifier", "literal_value"} and inner.data != "expr_term":
            return self.text(bare)
        if bare.data in {"identifier", "literal_value"} and inner.children[0] is bare:
            return self.text(bare)
        return operators.to_string(self.value(inner))

    def _identifier(self, node: Any) -> Any:
        name = self.text(node)
        if name not in self.scope:
            raise UnknownError(name)
        return _known(self.scope[name], name)

    def _get_attr_expr_term(self, node: Any) -> Any:
        return self.step(self.value(node.children[0]), node.children[1])

    _index_expr_term = _get_attr_expr_term

    def step(self, value: Any, node: Any) -> Any:
        """One step of a traversal: ``.name``, ``[index]`` or ``.0``."""
        if node.data == "get_attr":
            if not isinstance(value, Mapping):
                raise ExpressionError(f"`{self.text(node)}` of what is no object")
            return operators.index(value, self.text(_trees(node)[0]), _known)
        if node.data == "short_index":
            return operators.index(value, operators.to_number(str(node.children[1])), _known)
        return operators.index(value, self.value(_trees(node)[0]), _known)

    def _full_splat_expr_term(self, node: Any) -> Any:
        value = self.value(node.children[0])
        items = value if isinstance(value, list) else [] if value is None else [value]
        if isinstance(value, Mapping) and not value:
            raise UnknownError("a splat of an empty map")
        return [self.walk(item, _trees(node.children[1])) for item in items]

    def walk(self, value: Any, steps: Sequence[Any]) -> Any:
        for step in steps:
            value = self.step(value, step)
        return value

    def _unary_op(self, node: Any) -> Any:
        sign, operand = str(node.children[0]), self.value(node.children[1])
        return operators.negate(operand) if sign == "-" else not operators.to_bool(operand)

    def _binary_op(self, node: Any) -> Any:
        left_node, term = _trees(node)[:2]
        operator, right_node = self.text(_trees(term)[0]), _trees(term)[1]
        if operator in {"&&", "||"}:
            return self.logic(operator, left_node, right_node)
        return operators.binary(operator, self.value(left_node), self.value(right_node))

    def logic(self, operator: str, left: Any, right: Any) -> bool:
        """Let one side decide where the other is unknown; what Terraform's versions disagree about is unknown."""
        decisive = operator == "||"
        try:
            is_decided = operators.to_bool(self.value(left)) is decisive
        except UnknownError as error:
            if operators.to_bool(self.value(right)) is decisive:
                return decisive
            raise error
        try:
            other = operators.to_bool(self.value(right))
        except UnknownError:
            other = not decisive
            if not is_decided:
                raise
        except ExpressionError as error:
            if not is_decided:
                raise
            raise UnknownError("an error that some versions of Terraform do not reach") from error
        return decisive if is_decided else other

    def _conditional(self, node: Any) -> Any:
        condition, left, right = _trees(node)
        chosen, other = (left, right) if operators.to_bool(self.value(condition)) else (right, left)
        value = self.value(chosen)
        if isinstance(value, bool) or not isinstance(value, str | list | dict | None):
            return operators.unify(value, lambda: self.value(other))
        return value

    def _function_call(self, node: Any) -> Any:
        name, *rest = _trees(node)
        arguments = _trees(rest[-1]) if rest else []
        is_spread = bool(rest) and any(str(child) == "..." for child in rest[-1].children if not _is_tree(child))
        span = slice(name.meta.start_pos, name.meta.end_pos)
        called = "".join(self.scanned.code[span].split()).removeprefix("core::")
        if called in {"can", "try"}:
            return self.attempt(called, arguments)
        values = [self.value(argument) for argument in arguments]
        if is_spread:
            if not isinstance(values[-1], list):
                raise ExpressionError("only a list can be spread")
            values = [*values[:-1], *values[-1]]
        return functions.call(called, values)

    def attempt(self, called: str, arguments: Sequence[Any]) -> Any:
        for argument in arguments:
            try:
                value = self.value(argument)
            except ExpressionError:
                continue
            return True if called == "can" else value
        if called == "can":
            return False
        raise ExpressionError("no argument of try() can be evaluated")

    def _for_tuple_expr(self, node: Any) -> Any:
        intro, result, condition = self.parts(node)
        inner = self.rounds(intro, condition)
        return [each.value(result[0]) for each in inner]

    def _for_object_expr(self, node: Any) -> Any:
        intro, result, condition = self.parts(node)
        if any(str(child) == "..." for child in node.children if not _is_tree(child)):
            raise UnknownError("a grouping for expression")
        found: dict[str, Any] = {}
        for each in self.rounds(intro, condition):
            key = operators.to_string(each.value(result[0]))
            if key in found:
                raise ExpressionError(f"two elements have the key {key!r}")
            found[key] = each.value(result[1])
        return found

    def parts(self, node: Any) -> tuple[Any, list[Any], Any]:
        intro, *rest = _trees(node)
        condition = rest.pop() if rest[-1].data == "for_cond" else None
        return intro, rest, condition

    def rounds(self, intro: Any, condition: Any) -> Iterator[_Evaluator]:
        """One evaluator for each element that the condition takes, with the names of the `for` in its scope."""
        *names, collection = _trees(intro)
        for pair in operators.pairs(self.value(collection)):
            values = dict(zip(map(self.text, names), pair[-len(names) :], strict=True))
            inner = _Evaluator(self.scanned, {**self.scope, **values})
            if condition is None or operators.to_bool(inner.value(_trees(condition)[0])):
                yield inner


def _known(value: Any, name: str) -> Any:
    if isinstance(value, Unset):
        raise UnknownError(name)
    return value


def _is_tree(child: Any) -> bool:
    return hasattr(child, "data")


def _trees(node: Any) -> list[Any]:
    return [child for child in node.children if _is_tree(child) and child.data != "new_line_or_comment"]
