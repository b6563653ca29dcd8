"""OpenTofu as a platform's binary: the whole way with `ngp`, and nothing that is committed is written to."""

import json
import shutil

import pytest

from tests.git import git

pytestmark = [pytest.mark.tofu, pytest.mark.sandbox, pytest.mark.slow]
UNITS = ("network", "ecr")  # the second takes an output of the first


class CleanPlatform:
    """A platform whose work tree is to be clean after every command."""

    def __init__(self, ngp):
        self.ngp, self.path = ngp, ngp.cwd

    def git(self, *argv):
        return git(self.path, *argv)

    def use(self, binary):
        path = self.path / "ngp.yaml"
        lines = [line for line in path.read_text().splitlines() if not line.startswith("terraform:")]
        path.write_text("\n".join([*lines, f'terraform: "{binary}"', ""]))
        self.commit()

    def commit(self):
        self.git("add", ".")
        self.git("commit", "--quiet", "--message", "Change")

    def run(self, *argv, code=0):
        done = self.ngp.run(*argv)
        assert done.exit_code == code, done.stdout + done.stderr
        assert self.git("status", "--porcelain") == ""
        return done

    def outcomes(self, *argv, code=0):
        return {unit["unit"]: unit["outcome"] for unit in self.run(*argv, "--json", code=code).document["units"]}


@pytest.fixture(scope="module")
def region(lay_repository, ngp_in, tofu, tmp_path_factory):
    """One for all tests below, which stand in the order in which they are to run."""
    region = CleanPlatform(ngp_in(lay_repository(tmp_path_factory.mktemp("opentofu") / "platform")))
    region.use(tofu)
    yield region
    region.ngp.run("sandbox", "stop")


def test_it_is_found_and_the_lock_holds(region, tofu):
    assert "tofu 1." in region.run("doctor").stdout
    region.run("lock", "--check")
    assert "nothing has changed" in region.run("lock").stderr


def test_roots_and_modules_are_checked(region):
    region.run("validate", "dev", *UNITS)
    region.run("module", "check", "ecr")


def test_what_is_previewed_is_applied_through_the_proxy(region):
    assert region.outcomes("plan", "dev", *UNITS) == dict.fromkeys(UNITS, "changes")
    done = region.run("apply", "dev", *UNITS, "--auto-approve")
    assert "OpenTofu 1." in done.stderr
    assert "without the provider proxy" not in done.stderr
    assert region.outcomes("plan", "dev", *UNITS, "--detailed-exitcode") == dict.fromkeys(UNITS, "no_changes")
    outputs = region.run("output", "dev", "network", "--json").document
    assert "vpc-" in json.dumps(outputs)


def test_terraform_refuses_a_state_of_opentofu_and_opentofu_goes_on(region, tofu):
    region.use("terraform" if shutil.which("terraform") else "bundled")
    for verb in (["plan"], ["destroy", "--auto-approve", "--accept-data-loss", "ecr"]):
        (unit,) = region.run(*verb, "dev", "ecr", "--json", code=1).document["units"]
        assert "the state of `ecr` was written by OpenTofu" in unit["reason"]
    region.use(tofu)
    assert region.outcomes("plan", "dev", "ecr") == {"ecr": "no_changes"}


def test_everything_is_destroyed(region):
    agreed = ("--auto-approve", *(word for unit in UNITS for word in ("--accept-data-loss", unit)))
    assert region.outcomes("destroy", "dev", *UNITS, *agreed) == dict.fromkeys(UNITS, "destroyed")


def test_one_state_for_all_on_the_disk(platform, ngp, tofu):
    region = CleanPlatform(ngp)
    path = platform / "environments/dev/environment.yaml"
    path.write_text(f"{path.read_text()}state: single\n")
    assert ngp.run("render").exit_code == 0
    region.use(tofu)
    region.run("validate", "dev")
    region.run("apply", "dev", "--auto-approve")
    assert (platform / ".ngp/state/dev/root.tfstate").is_file()
    assert region.outcomes("plan", "dev") == {"root": "no_changes"}
    assert region.outcomes("apply", "dev", "--apart", "--auto-approve") == {"root": "no_changes"}
    left = platform / ".ngp/opentofu/dev/environments/dev/root/errored.tfstate"  # an apply apart works there
    left.parent.mkdir(parents=True)
    left.write_text("{}")
    assert region.outcomes("plan", "dev", code=1) == {"root": "failed"}
    left.unlink()
    assert region.outcomes("destroy", "dev", "--auto-approve") == {"root": "destroyed"}
