"""What is installed is shown everywhere, also where half of it is missing."""

from dataclasses import replace

import ngp
from ngp import settings
from ngp.environments import installed


def test_outside_a_platform_and_without_terraform_those_parts_are_empty(tmp_path):
    surroundings = replace(settings.read(), environ={"PATH": str(tmp_path)}, home=tmp_path)
    for cwd in (tmp_path, None):  # None: the working folder was deleted
        found = installed.collect(surroundings, cwd)
        assert (found.version, found.rendered_by) == (ngp.__version__, "")
        assert found.terraform is None or found.terraform.argv[0] != "terraform"


def test_the_ngp_that_rendered_is_that_of_the_platform(platform):
    path = platform / "ngp.yaml"
    path.write_text(path.read_text() + 'rendered_by: "0.1"\n')
    assert installed.collect(settings.read(), platform).rendered_by == "0.1"
