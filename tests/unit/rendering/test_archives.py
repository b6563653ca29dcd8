"""Archives of functions: what is in them, and that nothing else changes their bytes."""

import base64
import io
import os
import zipfile
from pathlib import Path

import pytest

from ngp.catalogue.module import Catalogue
from ngp.rendering import archives


@pytest.fixture
def function(make):
    """The folder of one function of the module `clock`."""
    folder = make.path / "modules/clock/functions/tick"
    (folder / "deep").mkdir(parents=True)
    (folder / "handler.py").write_text("def handle(event, context): ...\n")
    (folder / "deep" / "more.json").write_bytes(b"{}\r\n")
    return folder


def catalogue(make):
    return Catalogue(make.path / "modules", {"clock": make.module("clock")})


def unpacked(text):
    return zipfile.ZipFile(io.BytesIO(base64.b64decode(text)))


def test_each_folder_of_functions_is_one_archive_beside_it(make, function):
    (function.parent / "tock").mkdir()
    (function.parent / "notes.txt").write_text("no function")
    files = archives.render(catalogue(make))
    assert list(files) == [Path(f"modules/clock/functions/{name}.zip.b64") for name in ("tick", "tock")]
    with unpacked(files[Path("modules/clock/functions/tick.zip.b64")]) as archive:
        assert archive.namelist() == ["deep/more.json", "handler.py"]
        assert archive.read("handler.py") == b"def handle(event, context): ...\n"
        assert archive.read("deep/more.json") == b"{}\n"  # written with CRLF, as Git may check it out


def test_a_module_without_functions_has_no_archive(make):
    assert archives.render(catalogue(make)) == {}


def test_neither_dates_nor_modes_nor_caches_change_the_bytes(function):
    before = archives.pack(function)
    os.utime(function / "handler.py", (1, 1))
    (function / "handler.py").chmod(0o700)
    (function / "__pycache__").mkdir()
    (function / "__pycache__" / "handler.pyc").write_bytes(b"\0")
    assert archives.pack(function) == before


def test_lambda_may_read_every_file_and_nothing_is_compressed(function):
    (function / "handler.py").chmod(0o600)
    with zipfile.ZipFile(io.BytesIO(archives.pack(function))) as archive:
        assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o100644}
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}


def test_another_source_makes_another_archive(function):
    before = archives.pack(function)
    (function / "handler.py").write_text("def handle(event, context): return 1\n")
    assert archives.pack(function) != before
