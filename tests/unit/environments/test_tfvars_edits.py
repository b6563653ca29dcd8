"""Edits of terraform.tfvars: what they are about changes, every other byte stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngp.catalogue import hcl
from ngp.environments import tfvars
from ngp.environments.tfvars_edits import Edit, Setting, edit, restore, retire
from ngp.errors import UsageError

PATH = Path("terraform.tfvars")
TEXT = """\
# Head
pre_tag    =   "demo"   # odd, but mine
tags = {
  a = "b"
}

/* about
   the server */
openvpn = {
  # who
  admin_cidrs = ["10.0.0.0/8"] # the office

  script = <<-EOT
    # ngp: end of openvpn
    ${"$"}{x}

  EOT
  // the end
} # openvpn

network = {}
"""
TEXT = TEXT.replace('${"$"}{x}', "$${x}")


def _edit(text, **changes):
    return edit(text, Edit(**changes), PATH)


def _set(text, key, value, comment=()):
    return _edit(text, settings={key: Setting(value, comment)})


def test_a_value_is_replaced_and_nothing_else():
    assert _set(TEXT, ("pre_tag",), '"other"') == TEXT.replace('"demo"', '"other"')
    assert _set(TEXT, ("openvpn", "admin_cidrs"), "[]") == TEXT.replace('["10.0.0.0/8"]', "[]")


def test_a_value_that_is_there_changes_nothing():
    assert _set(TEXT, ("pre_tag",), '"demo"') == TEXT


def test_a_new_common_value_stands_behind_the_last_one_with_its_comment():
    found = _set(TEXT, ("post_tag",), '"dev"', ("The end", "of names"))
    assert found == TEXT.replace('  a = "b"\n}\n', '  a = "b"\n}\n# The end\n# of names\npost_tag = "dev"\n')


def test_a_first_common_value_stands_before_the_units_and_their_comments():
    text = "# about\nopenvpn = {}\n"
    assert _set(text, ("pre_tag",), '"a"') == 'pre_tag = "a"\n\n# about\nopenvpn = {}\n'


def test_a_new_value_of_a_unit_stands_at_the_end_of_its_object():
    found = _set(TEXT, ("openvpn", "engine"), '"x"', ("Which",))
    assert found == TEXT.replace("  // the end\n", '  // the end\n  # Which\n  engine = "x"\n')


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("u = {}\n", "u = {\n  b = 2\n}\n"),
        ("u = { a = 1 }\n", "u = { a = 1,\n  b = 2\n}\n"),
        ("u = { a = 1, }\n", "u = { a = 1, \n  b = 2\n}\n"),
        ("u = {\n    a = 1\n}\n", "u = {\n    a = 1\n    b = 2\n}\n"),
        ("u = { a = 1\n  c = 3 }", "u = { a = 1\n  c = 3,\n  b = 2\n}"),
        ("u = {\n  a = 1 /* x\n  y */ }\n", None),
        ("u = {\n  /* x */ }\n", None),
    ],
)
def test_objects_of_every_layout_take_a_new_value(text, expected):
    found = _set(text, ("u", "b"), "2")
    assert expected is None or found == expected
    assert tfvars.parse(found, PATH).unit("u")["b"].value == 2
    assert len(tfvars.parse(found, PATH).unit("u")) == len(tfvars.parse(text, PATH).unit("u")) + 1


def test_a_new_unit_gets_an_object_with_its_title_at_the_end():
    found = _edit(TEXT, settings={("swarm", "size"): Setting("3", ("How many",))}, titles={"swarm": ("Swarm",)})
    assert found == TEXT + "\n# Swarm\nswarm = {\n  # How many\n  size = 3\n}\n"


def test_several_additions_to_an_empty_file_are_parted():
    found = _edit("", settings={("pre_tag",): Setting('"a"'), ("u", "x"): Setting("1"), ("v", "y"): Setting("2")})
    assert found == 'pre_tag = "a"\n\nu = {\n  x = 1\n}\n\nv = {\n  y = 2\n}\n'


def test_lines_of_a_value_are_indented_with_it():
    found = _set("u = {\n  a = 1\n}\n", ("u", "b"), "{\n  x = 1\n}")
    assert found == "u = {\n  a = 1\n  b = {\n    x = 1\n  }\n}\n"


def test_a_value_is_removed_with_its_line():
    assert _edit(TEXT, removals=frozenset({("pre_tag",)})) == TEXT.replace(
        'pre_tag    =   "demo"   # odd, but mine\n', ""
    )
    assert _edit("u = { a = 1, b = 2 }\n", removals=frozenset({("u", "a")})) == "u = { b = 2 }\n"


def test_line_ends_stay_those_of_the_file():
    text = 'pre_tag = "a"\r\nu = {\r\n  a = 1\r\n}\r\n'
    found = _edit(text, settings={("post_tag",): Setting('"b"'), ("u", "b"): Setting("2", ("c",))})
    assert found.replace("\r\n", "").count("\n") == 0
    assert restore(retire(found, "u", PATH), "u", PATH) == found


def test_a_retired_unit_leaves_a_marked_comment_and_comes_back_byte_for_byte():
    found = retire(TEXT, "openvpn", PATH)
    assert "openvpn" not in hcl.parse(found, PATH).attributes
    assert '#   admin_cidrs = ["10.0.0.0/8"] # the office\n#\n' in found
    assert restore(found, "openvpn", PATH) == TEXT


def test_a_comment_over_several_lines_is_not_cut_by_retiring():
    text = "a = {} /* x\n y */\n\n/* b\n c */ b = {}\n"
    for unit in ("a", "b"):
        found = retire(text, unit, PATH)
        assert unit not in hcl.parse(found, PATH).attributes
        assert restore(found, unit, PATH) == text


def test_retired_values_stay_a_comment_where_the_unit_has_an_object_again():
    text = retire(TEXT, "openvpn", PATH) + "openvpn = {}\n"
    assert restore(text, "openvpn", PATH) == text


def test_a_unit_that_is_retired_twice_comes_back_with_its_newest_values():
    text = retire(TEXT, "openvpn", PATH) + 'openvpn = {\n  engine = "newest"\n}\n'
    retired = retire(text, "openvpn", PATH)
    assert "admin_cidrs" in retired  # the older values are kept, too
    found = tfvars.parse(restore(retired, "openvpn", PATH), PATH).unit("openvpn")
    assert {name: each.value for name, each in found.items()} == {"engine": "newest"}


def test_a_broken_block_is_told_with_its_line():
    text = retire(TEXT, "openvpn", PATH).replace("# } # openvpn\n", "")
    with pytest.raises(UsageError, match=r"terraform.tfvars:9: the commented-out values of `openvpn`"):
        restore(text, "openvpn", PATH)


def test_a_text_that_is_no_hcl_is_not_edited():
    with pytest.raises(UsageError, match=r"terraform.tfvars:1"):
        _set("pre_tag = = 3\n", ("pre_tag",), '"x"')


TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), VALUES), st.dictionaries(st.sampled_from("bcd"), VALUES))
def test_what_is_set_is_read_again_and_what_is_retired_comes_back(before, after):
    text = _edit(TEXT, settings={("swarm", name): Setting(hcl.render(value)) for name, value in before.items()})
    text = _edit(text, settings={("swarm", name): Setting(hcl.render(value)) for name, value in after.items()})
    assert text.startswith(TEXT)
    found = tfvars.parse(text, PATH).unit("swarm")
    assert {name: hcl.render(each.value) for name, each in found.items()} == {
        name: hcl.render(value) for name, value in {**before, **after}.items()
    }
    retired = retire(text, "swarm", PATH)
    assert "swarm" not in hcl.parse(retired, PATH).attributes
    assert restore(retired, "swarm", PATH) == text
