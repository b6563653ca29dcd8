"""Files and folders are removed, whoever else removes them at the same time."""

import shutil

from ngp import files


def test_folders_files_and_links_go_and_what_is_gone_is_no_failure(tmp_path):
    kept = tmp_path / "kept"
    (kept / "deep").mkdir(parents=True)
    (tmp_path / "folder" / "deep").mkdir(parents=True)
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(kept)
    files.remove_all(tmp_path / name for name in ("folder", "file", "link", "never-was"))
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert (kept / "deep").is_dir()


def test_a_folder_that_somebody_else_clears_meanwhile_goes_too(tmp_path, mocker):
    """What a killed pool leaves is cleared by the next one, and by the watchers of its providers."""
    folder = tmp_path / "sockets"
    (folder / "e1").mkdir(parents=True)
    (folder / "e2").mkdir()
    rmdir = shutil.os.rmdir

    def raced(path, **options):
        rmdir(path, **options)
        if path == "e1":
            raise FileNotFoundError(path)

    mocker.patch.object(shutil.os, "rmdir", raced)
    files.remove_all([folder])
    assert not folder.exists()
