"""What is kept, for which content it is believed, and what is no entry."""

import shutil

import pytest

from ngp import cache
from ngp.cache import recall, recall_each


@pytest.fixture(autouse=True)
def _forget_the_program():
    """A test here pretends another ngp; the tests after it ask anew."""
    yield
    cache._key.cache_clear()
    cache.program.cache_clear()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "facts"


class Finder:
    """Counts how often it is asked."""

    def __init__(self):
        self.asked = 0

    def __call__(self):
        self.asked += 1
        return {"asked": self.asked, "pair": (1, 2)}


@pytest.fixture
def find():
    return Finder()


def entries(folder):
    return sorted(folder.glob("*.json"))


def test_the_same_content_is_looked_at_once(folder, find):
    first = recall(folder, "a.yaml", b"x: 1", find)
    assert recall(folder, "a.yaml", b"x: 1", find) == first == {"asked": 1, "pair": [1, 2]}
    assert find.asked == 1


def test_other_content_and_another_name_are_looked_at_anew(folder, find):
    recall(folder, "a.yaml", b"x: 1", find)
    recall(folder, "a.yaml", b"x: 2", find)
    recall(folder, "b.yaml", b"x: 2", find)
    assert find.asked == 3


def test_a_name_has_one_entry_however_often_its_content_changes(folder, find):
    for number in range(5):
        recall(folder, "a.yaml", b"%d" % number, find)
    assert len(entries(folder)) == 1


@pytest.mark.parametrize("text", ["", "{", "\0", "é\n{}", "0" * 64 + '\n{"asked": 9}'])
def test_a_broken_entry_is_none(folder, find, text):
    recall(folder, "a.yaml", b"x: 1", find)
    entries(folder)[0].write_text(text, encoding="latin-1")
    assert recall(folder, "a.yaml", b"x: 1", find)["asked"] == 2


def test_an_entry_that_was_edited_or_put_in_the_place_of_another_is_none(folder, find):
    recall(folder, "a.yaml", b"x: 1", find)
    (entry,) = entries(folder)
    entry.write_bytes(entry.read_bytes().replace(b'"asked": 1', b'"asked": 7'))
    assert recall(folder, "a.yaml", b"x: 1", find)["asked"] == 2
    recall(folder, "b.yaml", b"x: 1", find)
    (other,) = set(entries(folder)) - {entry}
    shutil.copyfile(entry, other)
    assert recall(folder, "b.yaml", b"x: 1", find)["asked"] == 4


def test_what_came_with_a_checkout_or_a_copy_is_no_entry(folder, find, tmp_path):
    recall(folder, "a.yaml", b"x: 1", find)
    shutil.copytree(folder, tmp_path / "copy")
    assert recall(tmp_path / "copy", "a.yaml", b"x: 1", find)["asked"] == 2


def test_another_ngp_other_code_and_other_packages_look_anew(folder, find, tmp_path, monkeypatch):
    code, packages = tmp_path / "ngp" / "cache.py", tmp_path / "site-packages"
    for path in (code.parent, packages):
        path.mkdir()
    code.touch()
    monkeypatch.setattr(cache, "__file__", str(code))
    monkeypatch.setattr("sys.path", [str(packages)])
    steps = [
        lambda: None,
        lambda: monkeypatch.setattr("ngp.__version__", "999"),
        lambda: code.write_text("x = 1\n"),
        lambda: (packages / "jinja2-99.dist-info").mkdir(),
    ]
    for number, step in enumerate(steps, 1):
        step()
        cache._key.cache_clear()
        cache.program.cache_clear()
        recall(folder, "a.yaml", b"x: 1", find)
        assert find.asked == number
    cache._key.cache_clear()
    cache.program.cache_clear()
    recall(folder, "a.yaml", b"x: 1", find)
    assert find.asked == len(steps)


def test_what_cannot_be_found_out_is_not_kept(folder, find):
    def fail():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        recall(folder, "a.yaml", b"x: 1", fail)
    assert recall(folder, "a.yaml", b"x: 1", find)["asked"] == 1


def test_where_nothing_can_be_kept_everything_is_looked_at(tmp_path, find):
    (tmp_path / "file").touch()
    for folder in (None, tmp_path / "file" / "facts"):
        recall(folder, "a.yaml", b"x: 1", find)
        recall(folder, "a.yaml", b"x: 1", find)
    assert find.asked == 4


def test_others_cannot_read_what_is_kept(folder, find):
    recall(folder, "a.yaml", b"x: 1", find)
    assert [path.stat().st_mode & 0o077 for path in folder.iterdir()] == [0, 0]


def test_of_many_contents_those_that_changed_are_looked_at_anew(folder):
    asked = []

    def find(labels):
        asked.append(list(labels))
        return {label: label.upper() for label in labels}

    assert recall_each(folder, "all", {"a": b"1", "b": b"2"}, find) == {"a": "A", "b": "B"}
    assert recall_each(folder, "all", {"a": b"1", "b": b"3", "c": b"4"}, find) == {"a": "A", "b": "B", "c": "C"}
    assert recall_each(folder, "all", {"c": b"4", "a": b"1"}, find) == {"c": "C", "a": "A"}
    assert asked == [["a", "b"], ["b", "c"]]
    (entry,) = entries(folder)
    assert entry.read_bytes().count(b'"B"') == 1  # what no content asks for any more goes with the next change


def test_no_entry_waits_for_the_disk(folder, find, monkeypatch):
    recall(folder, "a.yaml", b"x: 1", find)  # the key of the seals does, once
    monkeypatch.setattr("os.fsync", lambda _: pytest.fail("waited"))
    recall(folder, "b.yaml", b"x: 1", find)
    assert recall(folder, "b.yaml", b"x: 1", find)["asked"] == 2
