"""`ngp ci init`: where it writes the pipelines, and when it calls them stale."""

from tests.conftest import Ngp

PLAN = ".github/workflows/ngp-plan.yaml"


def test_pipelines_stand_at_the_top_of_the_repository(nested):
    top = nested.path.parents[1]
    done = Ngp(nested.path).call("ci", "init", "github")
    assert done.exit_code == 0
    assert f"wrote {PLAN}" in done.stdout
    assert "working-directory: infra/eu" in (top / PLAN).read_text()
    assert not (nested.path / ".github").exists()
    assert Ngp(nested.path).call("ci", "init", "github", "--check").exit_code == 0
    (top / PLAN).unlink()
    assert Ngp(nested.path).call("ci", "init", "github", "--check").exit_code == 1


def test_a_platform_at_the_top_needs_no_folder(repository):
    assert Ngp(repository.path).call("ci", "init", "github").exit_code == 0
    assert "working-directory: " not in (repository.path / PLAN).read_text()
