"""A module of a few lines, held against all rules."""

import pytest

from ngp.catalogue import checks


@pytest.fixture
def check_text(tmp_path):
    """`check_text(text, manifest)`: what is wrong with a module of this code and these lines of a manifest."""

    def check(text, manifest=""):
        folder = tmp_path / "thing"
        folder.mkdir()
        (folder / "thing.tf").write_text(text)
        (folder / "module.yaml").write_text(f"title: T\nsummary: S\ncategory: c\n{manifest}")
        return checks.check_module(folder)

    return check
