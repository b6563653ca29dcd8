"""Write the generated pages of this folder."""

from pathlib import Path

from ngp import files
from ngp.rendering import pages

if __name__ == "__main__":
    files.write(Path(__file__).parent / "files.md", pages.files_reference())
