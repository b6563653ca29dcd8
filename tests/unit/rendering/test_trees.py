"""What of ngp.yaml a render of the whole platform changes."""

import pytest

import ngp
from ngp.environments.environment import Platform
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
    tree = trees.Tree(platform, (), {}, Staleness((), (), (), ()), is_whole=True)
    assert trees.writes(tree) == {tmp_path / "ngp.yaml": after.replace("VERSION", ngp.__version__)}
