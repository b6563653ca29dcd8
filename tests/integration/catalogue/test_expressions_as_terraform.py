"""Expressions: what ngp accepts, and the values that it finds, are Terraform's."""

import json
import os
import re
import subprocess
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ngp.catalogue import evaluating, hcl
from ngp.catalogue.operators import ExpressionError
from ngp.errors import UsageError
from ngp.terraform import binary, child_environ

pytestmark = pytest.mark.terraform
BINARY = ["+", "-", "*", "/", "%", "&&", "||", "==", "!=", "<", ">", "<=", ">="]
TRIVIA = ["\n", "\n\n", " # c\n", " // c\n", " /* c */ ", " /* c\n */ "]
# Each holds one expression of which the tokens are put in with what lies between them.
CONTEXTS = [
    "x = {}\n",
    "x = ({})\n",
    "x = [{}]\n",
    "x = [1, {}, 2]\n",
    "x = try({})\n",
    "x = {{ a = {} }}\n",
    "x = {{\n  a = {}\n  b = 1\n}}\n",
    "x = ({{\n  a = {}\n  b = [1]\n}})\n",
    "x = [for k in [1] : {}]\n",
    "x = {{ for k in [1] : k => {} }}\n",
    'x = "${{{}}}"\n',
    'b "c" {{\n  x = {}\n}}\n',
]

EXPRESSIONS = [
    "1-1",
    "1 -1",
    "1 - -1",
    "- -1",
    "!!true",
    "!true || false",
    "1+2*3",
    "10/4",
    "7%3",
    "-7%3",
    "1==1.0",
    '"1"==1',
    "true==true",
    "1==true",
    "null==null",
    '""==null',
    "1<2",
    '"5">3',
    "1<2&&2<3",
    'true?1:"a"',
    'false?1:"a"',
    "[1,2][1]",
    "{a=1}.a",
    '{a=1}["a"]',
    "{a={b=[1,2]}}.a.b[1]",
    "[{a=1},{a=2}][*].a",
    'length("abc")',
    "length([1])",
    "length({a=1})",
    'can(regex("^a$","a"))',
    'can(regex("^a$","a\\n"))',
    'can(regex("^a$","b"))',
    'regex("(a)(b)?","a")',
    'regex("(?P<x>a)","a")',
    'regexall("a.","abac")',
    'alltrue([true,"true"])',
    "alltrue([])",
    "anytrue([false])",
    'contains(["a"],"a")',
    'contains(["a"],"b")',
    'startswith("abc","a")',
    'endswith("abc","c")',
    'cidrhost("10.0.0.0/24",5)',
    'cidrhost("10.0.0.0/24",-1)',
    'cidrnetmask("10.0.0.1/20")',
    'cidrsubnet("10.0.0.0/16",4,2)',
    'can(cidrhost("10.0.0.0",0))',
    'can(cidrhost("10.0.0.0/33",0))',
    'can(cidrhost("::/64",0))',
    'can(cidrnetmask("::/64"))',
    'can(cidrhost("0.0.0.0/0",0))',
    'can(tonumber("x"))',
    'tonumber("1.50")',
    "tostring(1.5)",
    "tostring(1)",
    '"a${1}b${true}"',
    '"${1}"',
    '"a${"b"}"',
    "[for x in [1,2,3] : x*2 if x>1]",
    "{for k,v in {b=1,a=2} : k => v+1}",
    '[for k,v in {b=1,a=2} : "${k}${v}"]',
    '[for i,v in ["x"] : i]',
    'alltrue([for x in ["a"] : can(regex("^[a-z]$",x))])',
    "floor(1.5)",
    "ceil(1.2)",
    "abs(-1)",
    "(1) -25",
    "[30][0]-25",
    "max(1,2)-2.5",
    "2 -25*-10 - -25",
    "30-25-1e1",
    "1 +25",
    "max(1,2)",
    "min([1,2]...)",
    'split(",","a,b")',
    'join("-",["a","b"])',
    "concat([1],[2])",
    "flatten([[1],[2,[3]]])",
    "distinct([1,1,2])",
    "range(3)",
    "range(1,3)",
    'jsondecode("{\\"a\\":1}")',
    'lower("AB")',
    'upper("ab")',
    "keys({b=1,a=2})",
    "values({b=1,a=2})",
    'index(["a","b","b"],"b")',
    'index(["a"],"c")',
    "index([],1)",
    "index([1,2],2)",
    'lookup({a=1},"a",2)',
    'lookup({a=1},"b",2)',
    "merge({a=1},{b=2})",
    'coalesce(null,"","x")',
    "one([1])",
    'trimspace(" a ")',
    'replace("aba","a","c")',
    'substr("hello",1,3)',
    "sum([1,2])",
    'toset(["b","a","b"])',
    "try([][0],5)",
    "can([][0])",
    "can({a=1}.b)",
    'core::upper("a")',
    'strcontains("abc","b")',
    'compact(["a",""])',
    'sort(["b","a"])',
    'setunion(["a"],["b"])',
    'setsubtract(["a","b"],["b"])',
    "1e3",
    "0.1+0.2",
    "1/3 == 1/3",
    '{"a b"=1, ("c")=2, 5=6}',
    'length("")',
    'cidrhost("10.0.0.0/8",300)',
    'tobool("true")',
    'trimprefix("abc","a")',
    'trimsuffix("abc","c")',
    '"$${a}"',
    '"\\n"',
    "true ? [1] : []",
    "null == [] ",
    "can(length(null))",
    "can(null.a)",
    "alltrue([for k in keys({a=1}) : length(k) >= 1])",
    '!can(1+"a")',
    '{for x in ["a"]: x => 1}',
    'tonumber("0x1")',
    'regex("[^]a]","b")',
    'regex("a$|b", "a")',
    'can(regex("\\\\d+", "١"))',
    "[null][0]",
    "tolist([1,2])[0]",
    "-2*-3",
    "2 - 3 - 4",
    "2*3-4",
    "1 + 2 == 3 && !(4 > 5)",
    "false || true && false",
    "true ? false ? 1 : 2 : 3",
]


class Terraform:
    """Asks Terraform about many texts in one process each."""

    def __init__(self, folder):
        found = binary.find("", ">= 1.10", dict(os.environ), cwd=folder, cache=folder / "cache")
        self.program, self.environ, self.folder = list(found.argv), child_environ.build(dict(os.environ), {}), folder

    def refused(self, texts):
        """The indices of the texts that are not HCL."""
        folder = self.folder / "fmt"
        folder.mkdir(exist_ok=True)
        for path in folder.iterdir():
            path.unlink()
        for index, text in enumerate(texts):
            (folder / f"t{index}.tf").write_text(text)
        done = self.run(["fmt", "-no-color", "-write=false", "-list=false", str(folder)])
        return {int(each) for each in re.findall(r"on (?:\S*/)?t(\d+)\.tf line", done.stderr)}

    def values(self, expressions):
        """The values of expressions, "ERROR" for those that Terraform refuses."""
        folder = self.folder / "console"
        folder.mkdir(exist_ok=True)
        lines = (
            f'  v{index} = jsonencode(try({{ v = {each}\n}}, "ERROR"))\n' for index, each in enumerate(expressions)
        )
        (folder / "main.tf").write_text(f"locals {{\n{''.join(lines)}}}\n")
        asked = ", ".join(f"local.v{index}" for index in range(len(expressions)))
        done = self.run(["console"], cwd=folder, stdin=f"jsonencode([{asked}])\n")
        assert done.returncode == 0, done.stderr
        found = [json.loads(each, parse_float=Decimal) for each in json.loads(json.loads(done.stdout))]
        return [each["v"] if isinstance(each, dict) else each for each in found]

    def run(self, argv, *, cwd=None, stdin=""):
        return subprocess.run(
            [*self.program, *argv], cwd=cwd, input=stdin, env=self.environ, capture_output=True, text=True, check=False
        )


@pytest.fixture(scope="module")
def terraform(tmp_path_factory):
    return Terraform(tmp_path_factory.mktemp("terraform"))


def is_read(text):
    try:
        hcl.parse(text, Path("x.tf"))
    except UsageError:
        return False
    return True


def value_of(expression):
    try:
        return evaluating.evaluate_text(expression, {})
    except ExpressionError:
        return "ERROR"


PLACED = [  # an operator, and an expression with a place for it
    *((each, "7 {} 2") for each in BINARY if each not in {"&&", "||"}),
    ("&&", "true {} false"),
    ("||", "true {} false"),
    ("?", "true {} 1 : 2"),
    (":", "true ? 1 {} 2"),
    ("!", "{}true"),
    ("-", "{}1"),
    ("-", "(7) {}25"),
    ("-", "[7][0]{}2.5"),
    (".", "{{ a = 1 }}{}a"),
    ("(", "max{}1, 2)"),
    (",", "max(1{}2)"),
    ("[", "[1]{}0]"),
    ("]", "[1][0{}"),
    ("=>", "{{ for v in [1] : v{}2 }}"),
    ("::", 'core{}upper("a")'),
]


def placements():
    """Each operator with each trivia before and behind it."""
    for operator, text in PLACED:
        for trivia in TRIVIA:
            for before, behind in ((trivia, ""), ("", trivia)):
                yield text.format(f"{before}{operator}{behind}")


def test_comments_and_new_lines_around_operators_are_read_as_terraform_does(terraform):
    expressions = list(placements())
    texts = [context.format(each) for context in CONTEXTS for each in expressions]
    refused = terraform.refused(texts)
    assert 500 < len(refused) < len(texts) - 500
    differing = [text for index, text in enumerate(texts) if is_read(text) is (index in refused)]
    assert differing == []
    inside = [each for each in expressions if is_read(f"x = ({each})")]
    assert [value_of(each) for each in inside] == terraform.values([f"({each})" for each in inside])


def test_a_new_line_parts_the_elements_of_an_object_and_no_comma_follows_it(terraform):
    texts = ["x = {\n  a = 1\n  , b = 2\n}\n", "x = {\n  a = 1 + 1\n\n  -1 = 2\n}\n", "x = {\n  a = 1,\n\n  b = 2\n}\n"]
    assert terraform.refused(texts) == {0}
    assert [is_read(text) for text in texts] == [False, True, True]


def test_values_are_those_of_terraform(terraform):
    assert [value_of(each) for each in EXPRESSIONS] == terraform.values(EXPRESSIONS)


TOKENS = st.sampled_from(
    [*BINARY, "?", ":", "!", "-", "(", ")", "[", "]", "{ a =", "}", ",", "1", "25", "2.5", "true", "a", ".b", "[*]"]
)


def expressions():
    """Whole expressions with trivia between any two of their tokens, as lists of tokens."""
    operands = st.sampled_from(
        [["1"], ["25"], ["2.5e1"], ["true"], ['"s"'], ["a", ".", "b"], ["a", "[*]", ".", "b"], ["<<E\nx\nE\n"]]
    )

    def grow(inner):
        return st.one_of(
            st.tuples(inner, st.sampled_from(BINARY), inner).map(lambda each: [*each[0], each[1], *each[2]]),
            st.tuples(inner, inner, inner).map(lambda each: [*each[0], "?", *each[1], ":", *each[2]]),
            st.tuples(st.sampled_from(["!", "-"]), inner).map(lambda each: [each[0], *each[1]]),
            inner.map(lambda each: ["(", *each, ")"]),
            inner.map(lambda each: ["f", "(", *each, ",", "1", ")"]),
            inner.map(lambda each: ["[", *each, ",", "1", "]"]),
            inner.map(lambda each: ["{", "a", "=", *each, "}"]),
            inner.map(lambda each: ["{", "a", "=", *each, "\n", "b", "=", "1", "}"]),
            inner.map(lambda each: ["[", "for", "k", "in", "a", ":", *each, "]"]),
        )

    return st.recursive(operands, grow, max_leaves=6)


def has_unlike_signs(tokens):
    """Whether `-` and `!` stand together, as in `-!true`, which ngp does not read and Terraform cannot evaluate."""
    return any({one, other} == {"-", "!"} for one, other in pairwise(tokens))


def test_unlike_signs_have_no_value_in_terraform_either(terraform):
    assert terraform.values(["-!true", "!-1"]) == ["ERROR"] * 2
    assert not is_read("x = -!true\n")


@st.composite
def texts(draw):
    drawn = st.one_of(expressions(), st.lists(TOKENS, max_size=8))
    tokens = draw(drawn.filter(lambda tokens: not has_unlike_signs(tokens)))
    gaps = draw(st.lists(st.sampled_from([" "] * 8 + TRIVIA), min_size=len(tokens), max_size=len(tokens)))
    gaps = [gap if token != "-" or draw(st.booleans()) else "" for token, gap in zip(tokens, gaps, strict=True)]
    return "x = " + "".join(f"{token}{gap}" for token, gap in zip(tokens, gaps, strict=True)) + "\n"


@given(st.lists(texts(), min_size=60, max_size=60))
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_expression_is_read_where_terraform_reads_it(terraform, texts):
    refused = terraform.refused(texts)
    assert [text for index, text in enumerate(texts) if is_read(text) is (index in refused)] == []
