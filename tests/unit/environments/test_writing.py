"""Files are written all at once or not at all, and an operator's link stays a link."""

import errno

import pytest

from ngp import files
from ngp.environments import writing
from ngp.errors import NgpError


def test_only_texts_that_differ_from_the_disk_are_changed(tmp_path):
    same, other, new, empty = (tmp_path / name for name in ("same", "other", "new", "empty"))
    same.write_text("a")
    other.write_text("a")
    texts = {same: "a", other: "b", new: "c", empty: ""}
    assert writing.changed(texts) == {other: "b", new: "c"}


def test_texts_are_written_and_what_has_none_is_removed(tmp_path):
    gone, left = tmp_path / "folder", tmp_path / "left"
    gone.mkdir()
    (gone / "file").write_text("x")
    left.write_text("x")
    writing.write({tmp_path / "new": "n", gone: None, left: None}, "it cannot be written")
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_a_link_of_the_operator_stays_a_link(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    writing.write(writing.through_links({link: "new"}), "it cannot be written")
    assert (link.is_symlink(), target.read_text()) == (True, "new")


@pytest.mark.parametrize(
    ("door", "outcome"),
    [("write_all", "nothing was changed"), ("remove_all", "files that should be removed are left")],
)
def test_a_disk_that_refuses_is_an_error_that_says_what_became_of_the_files(tmp_path, monkeypatch, door, outcome):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "new"))

    monkeypatch.setattr(files, door, full)
    with pytest.raises(NgpError, match="it cannot be written") as caught:
        writing.write({tmp_path / "new": "n", tmp_path / "old": None}, "it cannot be written")
    (finding,) = caught.value.findings
    assert finding.where == str(tmp_path / "new")
    assert finding.why.startswith("No space left on device; ")
    assert finding.why.endswith(outcome)
