"""What of ngp.yaml a render of the whole platform changes."""

import pytest

import ngp
from ngp import files
from ngp.environments.environment import Platform
from ngp.errors import LockHeldError
from ngp.rendering import trees
from ngp.rendering.staleness import Staleness


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("name: acme\n", 'name: acme\nrendered_by: "VERSION"\n'),
        ("name: acme", 'name: acme\nrendered_by: "VERSION"\n'),
        ("name: acme # ä\r\n", 'name: acme # ä\r\nrendered_by: "VERSION"\r\n'),
        (
            'rendered_by: "0.0.1"  # see "above"\r\nname: acme\r\n',
            'rendered_by: "VERSION"  # see "above"\r\nname: acme\r\n',
        ),
        ("rendered_by: 0.0.1 # why\nname: acme\n", 'rendered_by: "VERSION" # why\nname: acme\n'),
        ("rendered_by: '0.0.1'\nname: acme\n", 'rendered_by: "VERSION"\nname: acme\n'),
        ("rendered_by:\nname: acme\n", 'rendered_by: "VERSION"\nname: acme\n'),
    ],
)
def test_only_the_version_in_ngp_yaml_changes(tmp_path, before, after):
    (tmp_path / "ngp.yaml").write_bytes(before.encode())
    platform = Platform(tmp_path, "acme", rendered_by="")
    tree = trees.RenderedTree(platform, (), {}, Staleness((), (), (), ()), is_whole=True)
    assert trees.writes(tree) == {tmp_path / "ngp.yaml": after.replace("VERSION", ngp.__version__)}


def test_a_folder_that_gets_a_file_is_not_removed_with_its_orphans(tmp_path):
    root = tmp_path / "environments/dev/units/app"
    root.mkdir(parents=True)
    (root / "old.tf").write_text("# rendered\n")
    new, old = ((root / name).relative_to(tmp_path) for name in ("main.tf", "old.tf"))
    platform = Platform(tmp_path, "acme", rendered_by=ngp.__version__)
    tree = trees.RenderedTree(platform, ("dev",), {new: "# new\n"}, Staleness((new,), (), (old,), ()), is_whole=False)
    trees.write(tree)
    assert [path.name for path in root.iterdir()] == ["main.tf"]


def test_nothing_is_rendered_while_a_run_uses_the_environment(tmp_path):
    path = tmp_path / "environments/dev/units/app/main.tf"
    platform = Platform(tmp_path, "acme", rendered_by=ngp.__version__)
    new = path.relative_to(tmp_path)
    tree = trees.RenderedTree(platform, ("dev",), {new: "# new\n"}, Staleness((new,), (), (), ()), is_whole=False)
    with (
        files.lock(platform.workspace.lock("dev"), purpose="ngp apply dev"),
        pytest.raises(LockHeldError, match="ngp apply dev"),
    ):
        trees.write(tree)
    assert not path.exists()
