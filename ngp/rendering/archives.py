"""Archives of modules' functions for AWS Lambda, made from the sources beside them.

HCL cannot make archives, and a module must work without ngp, so the archive is committed and checked for staleness.
"""

from __future__ import annotations

import base64
import io
from pathlib import Path, PurePosixPath

from ngp import files
from ngp.catalogue.module import Catalogue

FOLDER = "functions"
ENDING = ".zip.b64"
_DATE = (1980, 1, 1, 0, 0, 0)  # the first that an archive can hold
_MODE = 0o100644


def render(catalogue: Catalogue) -> dict[Path, str]:
    """Return ``modules/MODULE/functions/NAME.zip.b64`` for each folder ``functions/NAME``, relative to the platform.

    They are Base64, because all rendered files are text, and so are the copies of a pinned catalogue.
    """
    return {
        Path("modules", module.name, FOLDER, f"{folder.name}{ENDING}"): base64.encodebytes(pack(folder)).decode("ascii")
        for module in catalogue.modules.values()
        for folder in sorted((module.path / FOLDER).glob("*/"))
    }


def pack(folder: Path) -> bytes:
    """Return a zip of all files in `folder` with the same bytes on every machine.

    Names are sorted, dates and modes fixed, and nothing is compressed, because compressors differ.
    """
    import zipfile

    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name in sorted(_names(folder)):
            entry = zipfile.ZipInfo(str(name), _DATE)
            entry.create_system = 3  # Unix, also where it is packed on another
            entry.external_attr = _MODE << 16
            archive.writestr(entry, files.unify_lines((folder / name).read_bytes()))
    return written.getvalue()


def _names(folder: Path) -> list[PurePosixPath]:
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return [PurePosixPath(path) for path in found if "__pycache__" not in path.parts]
