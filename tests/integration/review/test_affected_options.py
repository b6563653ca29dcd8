"""`--affected` on the daily commands: they act on what the change affects, and on nothing else."""

import shutil

import pytest

from tests.git import git
from tests.harness import stop_sandbox


def append(path, text="\n# more\n"):
    path.write_text((path.read_text() if path.exists() else "") + text)


@pytest.fixture(scope="module")
def template(shared_platform, ngp_in):
    """`app` takes of `base`, `lone` is another unit of base's module; all is rendered and committed."""
    dev = shared_platform / "environments" / "dev"
    text = (dev / "environment.yaml").read_text()
    (dev / "environment.yaml").write_text(text.replace("  app: {}\n", "  app: {}\n  lone: {module: base}\n"))
    append(dev / "terraform.tfvars", 'lone = {\n  cidr = "10.8.0.0/16"\n}\n')
    assert ngp_in(shared_platform).run("render").exit_code == 0
    git(shared_platform, "add", "-A")
    git(shared_platform, "commit", "-qm", "rendered")
    return shared_platform


@pytest.fixture
def platform(template, tmp_path):
    """On a branch that changes the value of `base` in dev; that is committed, and not rendered yet."""
    folder = tmp_path / "platform"
    shutil.copytree(template, folder, symlinks=True)
    git(folder, "branch", "-qM", "main")
    git(folder, "checkout", "-qb", "work")
    values = folder / "environments" / "dev" / "terraform.tfvars"
    values.write_text(values.read_text().replace("10.0.0.0", "10.7.0.0"))
    git(folder, "commit", "-qam", "another network")
    yield folder
    stop_sandbox(folder)


def test_render_writes_the_affected_roots_only_and_says_why(platform, ngp):
    done = ngp.call("render", "--affected")
    assert done.exit_code == 0
    assert done.stdout == "wrote environments/dev/units/base/values.auto.tfvars.json\n"
    assert "dev base: its root environments/dev/units/base differs in values.auto.tfvars.json" in done.stderr
    assert "dev app: uses vpc_id of base" in done.stderr


def test_render_check_of_the_affected_is_of_their_environments(platform, ngp):
    assert ngp.call("render", "--check", "--affected").exit_code == 1
    ngp.call("render", "--affected")
    done = ngp.call("render", "--check", "--affected", "--json")
    assert (done.exit_code, done.document["environments"]) == (0, ["dev"])
    assert [row["unit"] for row in done.document["affected"]] == ["base", "app"]


@pytest.mark.parametrize(
    "path", ["units/lone/main.tf", "units/base/outputs.tf", "modules/base/base.tf", "modules/CATALOGUE"]
)
def test_render_check_of_the_affected_finds_what_the_branch_edited_by_hand(platform, ngp, path):
    dev = platform / "environments" / "dev"
    append(dev / "environment.yaml", "catalogue: main\n")
    ngp.call("render")
    git(platform, "add", "-A")
    git(platform, "commit", "-qm", "pinned and rendered")
    append(dev / path)
    git(platform, "commit", "-qam", "by hand")
    for since in ("main", "HEAD^"):
        done = ngp.call("render", "--check", "--affected", "--since", since)
        assert (done.exit_code, done.stdout) == (1, f"differs environments/dev/{path}\n")
    assert ngp.call("render", "--affected").exit_code == 0
    assert ngp.call("render", "--check").exit_code == 0


def test_render_check_of_the_affected_finds_a_root_that_the_branch_added_by_hand(platform, ngp):
    root = platform / "environments/prod/units"
    shutil.copytree(root / "base", root / "ghost")
    done = ngp.call("render", "prod", "--check", "--affected")
    assert (done.exit_code, done.stdout.count("orphaned ")) == (1, 6)
    assert "stale: run `ngp render prod`" in done.stderr


def test_render_takes_the_root_of_a_removed_unit_away(platform, ngp):
    folder = platform / "environments" / "dev"
    text = (folder / "environment.yaml").read_text()
    (folder / "environment.yaml").write_text(text.replace("  lone: {module: base}\n", ""))
    (folder / "terraform.tfvars").write_text('base = {\n  cidr = "10.0.0.0/16"\n}\n')
    assert ngp.call("render", "dev", "--affected").exit_code == 0
    assert not (folder / "units" / "lone").exists()


def test_render_of_nothing_affected_is_one_line(platform, ngp):
    done = ngp.call("render", "prod", "--affected")
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (0, "", 1)


def test_graph_shows_the_affected_units_and_the_wires_between_them(platform, ngp):
    done = ngp.call("graph", "dev", "--affected")
    assert done.stdout == "wave 1\n  base\nwave 2\n  app\n    vpc_id <- base.vpc_id\n"
    assert ngp.call("graph", "prod", "--affected").stdout == ""
    document = ngp.call("graph", "prod", "--affected", "--json").document
    assert (document["units"], document["wires"], document["affected"]) == ([], [], [])


def test_of_named_units_those_that_are_affected_are_taken(platform, ngp):
    document = ngp.call("graph", "dev", "app", "lone", "--affected", "--json").document
    assert [fact["unit"] for fact in document["units"]] == ["app"]
    assert [row["unit"] for row in document["affected"]] == ["app"]
    assert ngp.call("graph", "dev", "ap", "--affected").exit_code == 64


@pytest.mark.parametrize("words", [("plan", "dev"), ("graph", "dev"), ("render",), ("validate",)])
def test_since_alone_on_the_line_is_refused_before_anything_is_done(platform, ngp, words):
    done = ngp.call(*words, "--since", "HEAD")
    assert done.exit_code == 64
    assert "add `--affected`, or omit `--since`" in done.stderr


def test_since_in_the_surroundings_may_stand_alone_and_is_used(platform, ngp):
    assert ngp.call("graph", "dev", env={"NGP_SINCE": "HEAD"}).exit_code == 0
    done = ngp.call("graph", "dev", "--affected", env={"NGP_SINCE": "HEAD"})
    assert "(HEAD)" in done.stderr


def test_without_a_repository_the_answer_is_a_missing_prerequisite(platform, ngp):
    shutil.rmtree(platform / ".git")
    done = ngp.call("env", "affected", "--json")
    assert (done.exit_code, done.document["error"]["code"]) == (69, "missing_prerequisite")


@pytest.mark.terraform
@pytest.mark.sandbox
def test_plan_plans_the_affected_units_only_and_says_why_first(platform, ngp):
    ngp.call("render")
    done = ngp.run("plan", "dev", "--affected", "--json")
    assert done.exit_code == 0, done.stderr
    assert [unit["unit"] for unit in done.document["units"]] == ["base", "app"]
    assert [row["reasons"][0]["cause"] for row in done.document["affected"]] == ["root", "upstream"]
    assert done.stderr.index("dev app: uses vpc_id of base") < done.stderr.index("plan dev:")


def test_plan_of_nothing_affected_starts_nothing(platform, ngp):
    ngp.call("render")
    done = ngp.call("plan", "prod", "--affected", "-detailed-exitcode")
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (0, "", 1)
    document = ngp.call("plan", "dev", "lone", "--affected", "--json").document
    assert (document["exit_code"], document["units"], document["affected"]) == (0, [], [])
    assert not (platform / ".ngp" / "runs").exists()


def test_plan_of_nothing_affected_refuses_stale_roots_all_the_same(platform, ngp):
    done = ngp.call("plan", "dev", "lone", "--affected")
    assert done.exit_code == 64
    assert "nothing affected" in done.stderr
    assert "the rendered roots of `dev` are stale" in done.stderr


@pytest.mark.terraform
@pytest.mark.sandbox
def test_plan_of_a_single_state_is_of_its_whole_root(platform, ngp):
    append(platform / "environments/dev/environment.yaml", "state: single\n")
    ngp.call("render")
    git(platform, "add", "-A")
    git(platform, "commit", "-qm", "one root")
    append(platform / "modules/app/app.tf")
    done = ngp.run("plan", "dev", "--affected", "--since", "HEAD", "--json")
    assert [row["unit"] for row in done.document["affected"]] == ["app"]
    assert [unit["counts"]["create"] for unit in done.document["units"]] == [3]


@pytest.mark.terraform
def test_validate_asks_terraform_about_the_affected_roots_only(platform, ngp):
    git(platform, "checkout", "-q", "main")
    append(platform / "environments/dev/units/lone/extra.tf", "not terraform\n")
    git(platform, "add", "-A")
    git(platform, "commit", "-qm", "broken before the branch")
    git(platform, "checkout", "-q", "work")
    git(platform, "rebase", "-q", "main")
    ngp.call("render")
    done = ngp.run("validate", "--affected")
    assert done.exit_code == 0, done.stdout
    assert done.stdout == "valid: dev, prod, Terraform checked 2 roots\n"
    document = ngp.call("validate", "dev", "lone", "--affected", "--json").document
    assert (document["affected"], document["findings"]) == ([], [])
    append(platform / "environments/dev/units/lone/main.tf", "edited by hand\n")
    assert ngp.call("validate", "dev", "lone", "--affected").exit_code == 1
