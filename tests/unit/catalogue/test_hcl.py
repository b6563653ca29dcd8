import gc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ngp.catalogue import hcl
from ngp.errors import UsageError

PATH = Path("x.tfvars")
SPLIT = "a new line splits this expression; outside of parentheses and brackets a new line ends it"
TEXT = """\ufeff# top

# Comment one
//   two
a = "x" # trailing
b = <<-EOT
    foo ${var.x["}"]} "
  EOT
été = {
  # about c
  c = "d"
  "e f" : [1,
    2]
}
sum = 1 + 2
resource "aws_x" y {
  name = "a-${join(",", [for k in var.list : "${k}-}"])}"
}
"""


def parse(text):
    return hcl.parse(text, PATH)


def test_attributes_keep_their_places_and_exact_source():
    attributes = parse(TEXT).attributes
    assert list(attributes) == ["a", "b", "été", "sum"]
    for name, attribute in attributes.items():
        assert TEXT[attribute.name_span.start : attribute.name_span.end] == name
        assert TEXT[attribute.value_span.start : attribute.value_span.end] == attribute.text
        assert attribute.span == hcl.Span(attribute.name_span.start, attribute.value_span.end)
    assert attributes["b"].text == '<<-EOT\n    foo ${var.x["}"]} "\n  EOT'
    assert attributes["sum"].text == "1 + 2"
    assert attributes["été"].where == "x.tfvars:9"


def test_comments_above_belong_to_the_attribute_below():
    attributes = parse(TEXT).attributes
    assert attributes["a"].comment == ("Comment one", "  two")
    span = attributes["a"].comment_span
    assert TEXT[span.start : span.end] == "# Comment one\n//   two\n"
    assert attributes["b"].comment == ()
    assert attributes["b"].comment_span.start == attributes["b"].comment_span.end == TEXT.index("b = <<")
    assert hcl.elements(attributes["été"])["c"].comment == ("about c",)


def test_blocks_keep_their_labels_and_bodies():
    (block,) = parse(TEXT).blocks
    assert (block.type, block.labels, block.line) == ("resource", ("aws_x", "y"), 16)
    assert TEXT[block.span.start : block.span.end].endswith("}")
    assert parse(TEXT).of("resource") == (block,)
    assert parse(TEXT).of("data") == ()


def test_code_holds_what_is_interpolated_and_no_text():
    code = parse(TEXT).blocks[0].body.attributes["name"].code
    assert "join(" in code
    assert "var.list" in code
    assert '"' not in code
    assert "a-" not in code


def test_elements_of_an_object_have_offsets():
    found = hcl.elements(parse(TEXT).attributes["été"])
    assert list(found) == ["c", "e f"]
    assert TEXT[found["e f"].name_span.start : found["e f"].name_span.end] == '"e f"'
    assert found["e f"].text == "[1,\n    2]"
    assert hcl.literal(found["e f"]) == [1, 2]


def test_elements_of_something_else_are_refused():
    with pytest.raises(UsageError, match=r"x\.tfvars:1: `a` must be an object"):
        hcl.elements(parse("a = [1]").attributes["a"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = ", "x.tfvars:1: this is not HCL; it ends too soon"),
        ("\nx = = 1", "x.tfvars:2: this is not HCL; unexpected `= 1`"),
        ("x = 1 y = 2", "x.tfvars:1: a new line is missing before this"),
        ("x=1\n\nx=2", "x.tfvars:3: `x` is defined twice; the first is in line 1"),
        ('x = "a', "x.tfvars:1: a string has no closing quote; the text ends first"),
        ('x = "a\nb"', "x.tfvars:1: a string has no closing quote; it goes over the end of the line"),
        ('x = "${a"', "x.tfvars:1: a string has no closing quote; the text ends first"),
        ('x = "${a', "x.tfvars:1: an interpolation has no end"),
        ("\nx = <<E\na\nEE\n", "x.tfvars:2: a heredoc has no end; no line holds `E` alone"),
        ("x = <<E\nE", "x.tfvars:1: a heredoc has no end; no line holds `E` alone"),
        ("/* a", "x.tfvars:1: a comment has no end"),
        ("a { b { } }", "x.tfvars:1: a block in one line can hold one attribute only"),
        ("a { b = 1\nc=2 }", "x.tfvars:1: a block in one line can hold one attribute only"),
        ("a\n{\n}", "x.tfvars:2: the brace of a block must be in the line of its name"),
        (
            "x = 1 +\n2",
            f"x.tfvars:1: {SPLIT}",
        ),
        ("\nx =\n1", "x.tfvars:2: the value after `=` is missing"),
        (
            "x = {\n  a = true\n  ? 1 : 2\n}",
            f"x.tfvars:2: {SPLIT}",
        ),
        ("x = [1", "x.tfvars:1: this is not HCL; it ends too soon"),
        ('x = "' + '${"' * 5000, "x.tfvars: this is nested too deeply"),
    ],
)
def test_what_is_not_hcl_is_told_with_file_and_line(text, message):
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert str(caught.value) == message


def test_a_value_nested_too_deeply_is_an_error_and_no_crash():
    with pytest.raises(UsageError, match="nested too deeply"):
        hcl.literal(parse("x = " + "[" * 5000 + "]" * 5000).attributes["x"])


def test_a_missing_and_a_binary_file_are_told(tmp_path):
    with pytest.raises(UsageError, match="this file does not exist"):
        hcl.load(tmp_path / "none.tf")
    (tmp_path / "x.tf").write_bytes(b'a = "\xff"\n')
    with pytest.raises(UsageError, match="this file is not UTF-8"):
        hcl.load(tmp_path / "x.tf")


def test_carriage_returns_keep_their_offsets(tmp_path):
    (tmp_path / "x.tf").write_bytes(b"a = 1\r\n# two\r\nb = <<E\r\n x\r\nE\r\n")
    body = hcl.load(tmp_path / "x.tf")
    assert body.attributes["b"].line == 3
    assert body.attributes["b"].comment == ("two",)
    assert hcl.literal(body.attributes["b"]) == " x\r\n"


def test_threads_read_what_one_alone_reads():
    texts = [f'a = {{ k{n} = ["x{n}", {n}, true] }}\nb "l{n}" {{\n  c = "${{d}}"\n}}\n' for n in range(40)]
    alone = [parse(text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(parse, texts))
    assert together == alone
    assert [hcl.literal(body.attributes["a"]) for body in together] == [
        {f"k{n}": [f"x{n}", n, True]} for n in range(40)
    ]
    assert gc.isenabled()


@pytest.mark.timeout(120)  # some 2 s on a free machine; what grows with the square would take minutes
def test_a_million_characters_and_5000_attributes_are_read():
    for value in ("x" * 1_000_000, "$" * 1_000_000, '"${\\' * 250_000, "a\n" * 500_000):
        assert hcl.literal(parse(f"x = {hcl.render(value)}\n").attributes["x"]) == value
    lines = [f"k{n} = {hcl.render({'a': n, 'b': ['x', 'y']})}" for n in range(5_000)]
    assert len(parse("\n".join(lines)).attributes) == 5_000


def test_new_lines_and_comments_around_operators_keep_places_and_source():
    first = "x = (a # one\n  && /* two\n */ !\n  !b\n  ? core::upper(c)\n  .d : 2)\n"
    text = f"{first}y = {{\n  a = 1 # c\n\n  b = (2\n    + 3)\n}}\n"
    body = parse(text)
    assert body.attributes["x"].text == text[4 : text.index("\ny")]
    assert body.attributes["y"].line == 7
    elements = hcl.elements(body.attributes["y"])
    assert {name: (each.line, each.text) for name, each in elements.items()} == {
        "a": (8, "1"),
        "b": (10, "(2\n    + 3)"),
    }
    with pytest.raises(UsageError, match=r"x\.tfvars:3: this is not HCL; unexpected `\* 2\)`"):
        parse("x = (1\n  +\n  * 2)\n")


@pytest.mark.parametrize(
    "text", ["(a) -25", "a[0]-25", "f(b)-2.5", "30-25", "(a\n  -25 * b)", '"${f(b)-25}"', "-25 -1e3"]
)
def test_a_minus_directly_before_a_number_is_read_and_keeps_its_source(text):
    assert parse(f"x = {text}\n").attributes["x"].text == text
