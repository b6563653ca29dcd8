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


def test_a_shim_is_asked_in_the_platform_and_without_one_in_the_working_folder(tmp_path):
    shim, here = tmp_path / "shims/terraform", tmp_path / "here"
    below = here / "environments/dev"
    below.mkdir(parents=True)
    shim.parent.mkdir()
    shim.write_text("#!/bin/sh\ncat version.json\n")
    shim.chmod(0o755)
    (here / "version.json").write_text('{"terraform_version": "1.12.0", "platform": "linux_amd64"}')
    surroundings = replace(settings.read(), environ={"PATH": f"{shim.parent}:/usr/bin:/bin"}, home=tmp_path)
    assert installed.collect(surroundings, here).terraform.version == "1.12.0"
    assert installed.collect(surroundings, below).terraform is None
    (here / "ngp.yaml").write_text("name: demo\nterraform: ../shims/terraform\n")
    assert installed.collect(surroundings, below).terraform.version == "1.12.0"


def test_the_ngp_that_rendered_is_that_of_the_platform(platform):
    path = platform / "ngp.yaml"
    path.write_text(path.read_text() + 'rendered_by: "0.1"\n')
    assert installed.collect(settings.read(), platform).rendered_by == "0.1"
