"""`ngp ci init`: where it writes the pipelines, and when it calls them stale."""

import shutil

from tests.harness import Ngp, lay_platform

PLAN = ".github/workflows/ngp-plan.yaml"


def test_pipelines_stand_at_the_top_of_the_repository(nested):
    top = nested.path.parents[1]
    done = Ngp(nested.path).call("ci", "init", "github")
    assert done.exit_code == 0
    assert f"wrote {PLAN}" in done.stdout
    assert 'working-directory: "infra/eu"' in (top / PLAN).read_text()
    assert not (nested.path / ".github").exists()
    assert Ngp(nested.path).call("ci", "init", "github", "--check").exit_code == 0
    (top / PLAN).unlink()
    assert Ngp(nested.path).call("ci", "init", "github", "--check").exit_code == 1


def test_a_platform_at_the_top_needs_no_folder(repository):
    assert Ngp(repository.path).call("ci", "init", "github").exit_code == 0
    assert "working-directory: " not in (repository.path / PLAN).read_text()


def test_the_pipelines_of_another_platform_are_not_overwritten(nested):
    top = nested.path.parents[1]
    second = lay_platform(top / "infra" / "us")
    shutil.rmtree(second / ".git")
    assert Ngp(nested.path).call("ci", "init", "github").exit_code == 0
    for line in (("ci", "init", "github"), ("ci", "init", "github", "--check")):
        done = Ngp(second).call(*line)
        assert done.exit_code == 64
        assert "this pipeline is that of the platform in infra/eu" in done.stderr
    assert 'working-directory: "infra/eu"' in (top / PLAN).read_text()
    assert Ngp(nested.path).call("ci", "init", "github", "--check").exit_code == 0
