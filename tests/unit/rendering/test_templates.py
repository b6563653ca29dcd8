from __future__ import annotations

import pytest

from ngp import shipped
from ngp.errors import UsageError
from ngp.rendering import roots, templates


def override(make, text, name="root/main.tf.j2"):
    path = make.path / "templates" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_file_of_the_same_name_in_the_platform_rules(make):
    override(make, "# {{ root.calls[0].unit }}\n")
    files = roots.render(make.pair())
    assert [text for path, text in files.items() if path.name == "main.tf"] == ["# network\n", "# vpn\n"]


def test_overrides_lists_what_stands_in_place_of_a_template_of_ours(make):
    mine = override(make, "")
    override(make, "", "root/another.j2")
    override(make, "", "README.md")
    assert templates.overrides(make.path) == [mine]
    mine.write_bytes((shipped.templates() / "root" / mine.name).read_bytes())
    assert templates.overrides(make.path) == []  # the same text stands in place of nothing


def test_platform_without_templates_overrides_nothing(make):
    assert templates.overrides(make.path) == []


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("a\n{% if %}\n", 2, "Expected an expression"),
        ("a\n\n{{ nothing_like_it }}\n", 3, "'nothing_like_it' is undefined"),
        ("{{ root.nothing_like_it }}\n", 1, "has no attribute 'nothing_like_it'"),
        ("\n{% include 'absent.j2' %}\n", 2, "the template `absent.j2` does not exist"),
        ("\n{{ 1 / 0 }}\n", 2, "division by zero"),
        ("\n{{ 'x' + 1 }}\n", 2, "str"),
        ("\n{{ root.__class__.__mro__ }}\n", 2, "unsafe"),
    ],
)
def test_fault_in_a_template_is_told_with_its_line(make, text, line, why):
    path = override(make, text)
    with pytest.raises(UsageError) as caught:
        roots.render(make.pair())
    assert caught.value.findings[0].where == f"{path}:{line}"
    assert why in caught.value.findings[0].why
    assert "to use ngp's own" in caught.value.findings[0].todo


def test_fault_in_an_included_template_is_told_where_it_is(make):
    override(make, "{% include 'root/inner.j2' %}\n")
    inner = override(make, "\n\n{{ oh }}\n", "root/inner.j2")
    with pytest.raises(UsageError) as caught:
        roots.render(make.pair())
    assert caught.value.findings[0].where == f"{inner}:3"


def test_changed_template_is_seen_in_the_same_process(make):
    path = override(make, "# one\n")
    roots.render(make.pair())
    path.write_text("# two!\n")
    import os

    os.utime(path, (1, 1))
    assert "# two!\n" in roots.render(make.pair()).values()


def test_neighbours_are_aligned_and_a_value_of_several_lines_parts_them():
    pairs = [("a", "1"), ("long", "2"), ("x", "{\n}"), ("b", "3")]
    assert templates.assignments(pairs) == "  a    = 1\n  long = 2\n  x = {\n}\n  b = 3"


@pytest.mark.parametrize("whole", [True, False], ids=["folder", "file"])
def test_a_template_that_is_a_link_is_refused(make, tmp_path_factory, whole):
    victim = tmp_path_factory.mktemp("victim") / "main.tf.j2"
    victim.write_text("a key")
    link = make.path / ("templates/root" if whole else "templates/root/main.tf.j2")
    link.parent.mkdir(parents=True)
    link.symlink_to(victim.parent if whole else victim)
    for act in (lambda: roots.render(make.pair()), lambda: templates.render(make.path, "root/main.tf.j2", {})):
        with pytest.raises(UsageError) as caught:
            act()
        assert caught.value.findings[0].where == str(link)
