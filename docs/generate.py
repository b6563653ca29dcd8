"""Write the generated pages of this folder."""  # noqa: INP001  a folder of pages, not a package

from pathlib import Path

from ngp import files
from ngp.rendering import pages

if __name__ == "__main__":
    files.write(Path(__file__).parent / "files.md", pages.files_reference())
