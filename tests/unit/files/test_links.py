"""Links in a platform's private folder are not followed; the folder itself may be one."""

import pytest

from ngp import files
from ngp.errors import RefusedError


@pytest.fixture
def victim(tmp_path):
    path = tmp_path / "home/notes"
    path.parent.mkdir()
    path.write_text("of somebody")
    return path


def take_lock(path):
    with files.lock(path, purpose="test"):
        pass


USES = {
    "lock": lambda folder: take_lock(folder / "dev.lock"),
    "write": lambda folder: files.write(folder / "x.json", "{}"),
    "folder": lambda folder: files.private_folder(folder / "data"),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_folder_that_is_a_link_is_refused(tmp_path, victim, use):
    (tmp_path / ".ngp").mkdir()
    (tmp_path / ".ngp/locks").symlink_to(victim.parent)
    with pytest.raises(RefusedError) as caught:
        use(tmp_path / ".ngp/locks")
    assert caught.value.findings[0].where == str(tmp_path / ".ngp/locks")
    assert [path.name for path in victim.parent.iterdir()] == ["notes"]


@pytest.mark.parametrize("folder", [".ngp/locks", "cache"], ids=["platform", "elsewhere"])
def test_a_lock_that_is_a_link_leaves_what_it_leads_to(tmp_path, victim, folder):
    lock = tmp_path / folder / "dev.lock"
    lock.parent.mkdir(parents=True)
    lock.symlink_to(victim)
    with pytest.raises((RefusedError, OSError)):
        take_lock(lock)
    assert victim.read_text() == "of somebody"


def test_a_written_file_takes_the_place_of_a_link(tmp_path, victim):
    path = tmp_path / ".ngp/x.json"
    path.parent.mkdir()
    path.symlink_to(victim)
    assert files.write(path, "of somebody")
    assert not path.is_symlink()


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_the_private_folder_itself_may_be_a_link(tmp_path, use):
    (tmp_path / "disk").mkdir()
    (tmp_path / ".ngp").symlink_to(tmp_path / "disk")
    use(tmp_path / ".ngp/locks")
    assert any((tmp_path / "disk/locks").iterdir())
