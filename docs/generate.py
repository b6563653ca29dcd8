"""Write the generated pages of this folder."""  # noqa: INP001  a folder of pages, not a package

from pathlib import Path

from ngp import files
from ngp.rendering import pages

if __name__ == "__main__":
    here = Path(__file__).parent
    files.write(here / "files.md", pages.files_reference())
    for name, text in pages.published_schemas().items():
        files.write(here / "schemas" / name, text)
