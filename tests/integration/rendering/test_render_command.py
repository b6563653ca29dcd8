from __future__ import annotations

import json
from pathlib import Path

import pytest

import ngp
from ngp import cli, files

UNITS = Path("environments/dev/units")
VARIABLE = 'variable "text" {\n  type    = string\n  default = "x"\n}\n'


@pytest.fixture
def tree(platform):
    platform.module("echo", VARIABLE)
    platform.environment("{echo: {}, again: {module: echo}}")
    return platform


@pytest.fixture
def run(tree, capsys):
    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = cli.run(["--chdir", str(tree.path), "render", *words])
        return code, *capsys.readouterr()

    return run


def test_writes_all_roots_the_dummies_and_its_version(run, tree):
    code, out, _ = run()
    assert code == 0
    assert f"wrote {UNITS / 'echo/main.tf'}\n" in out
    assert (tree.path / UNITS / "again/main.tf").is_file()
    assert 'text = "x"' in (tree.path / "terraform.tfvars.dummy").read_text()
    assert "wrote ngp.yaml\n" in out
    assert (tree.path / "ngp.yaml").read_text() == f'name: acme\nstate: local\nrendered_by: "{ngp.__version__}"\n'


def test_second_time_changes_nothing(run, tree):
    run()
    before = {path: path.stat().st_mtime_ns for path in tree.path.rglob("*") if ".ngp" not in path.parts}
    code, out, err = run()
    assert (code, out) == (0, "")
    assert "up to date: dev" in err
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_check_lists_what_is_stale_and_writes_nothing(run, tree):
    run()
    tree.write({"environments/dev/terraform.tfvars": 'echo = {\n  text = "y"\n}\n'})
    (tree.path / "terraform.tfvars.dummy").unlink()
    code, out, err = run("--check")
    assert code == 1
    assert out.splitlines() == [
        "missing terraform.tfvars.dummy",
        f"differs {UNITS / 'echo/main.tf'}",
        f"differs {UNITS / 'echo/values.auto.tfvars.json'}",
        f"differs {UNITS / 'echo/variables.tf'}",
    ]
    assert "stale: run `ngp render`\n" in err  # with a name, the dummy would stay stale
    assert not (tree.path / "terraform.tfvars.dummy").exists()
    code, _, err = run("--check", "dev")
    assert code == 1
    assert "stale: run `ngp render dev`\n" in err
    run()
    assert run("--check")[0] == 0


def test_check_of_a_fresh_tree_passes(run):
    run()
    assert run("--check")[0] == 0


def test_archives_of_functions_are_rendered_with_the_whole_platform(run, tree):
    archive = "modules/echo/functions/tick.zip.b64"
    tree.write({"modules/echo/functions/tick/handler.py": "def handle(event, context): ...\n"})
    assert archive not in run("dev")[1]
    assert f"wrote {archive}\n" in run()[1]
    tree.write({"modules/echo/functions/tick/handler.py": "def handle(event, context): return 1\n"})
    code, out, _ = run("--check")
    assert (code, out) == (1, f"differs {archive}\n")


def test_diff_shows_the_lines_that_change(run, tree):
    run()
    tree.write({"environments/dev/terraform.tfvars": 'echo = {\n  text = "y"\n}\n'})
    _, out, _ = run("--check", "--diff")
    assert '-{}\n+{\n+  "text": "y"\n+}\n' in out


def test_root_of_a_removed_unit_goes_with_what_running_it_left(run, tree):
    run()
    left = tree.path / UNITS / "again/.terraform/terraform.tfstate"
    files.write(left, "{}")
    tree.environment("{echo: {}}")
    code, out, _ = run("dev")
    assert code == 0
    assert f"removed {UNITS / 'again/main.tf'}\n" in out
    assert not (tree.path / UNITS / "again").exists()
    assert run("--check")[0] == 0


def test_what_is_not_ours_stays_and_is_told(run, tree):
    run()
    files.write(tree.path / UNITS / "again/errored.tfstate", "{}")
    tree.environment("{echo: {}}")
    _, _, err = run()
    assert f"not ours, left alone: {UNITS / 'again/errored.tfstate'}" in err
    assert [path.name for path in (tree.path / UNITS / "again").iterdir()] == ["errored.tfstate"]


def test_json_is_one_document(run):
    code, out, _ = run("--check", "--json", "--diff")
    document = json.loads(out)
    assert code == 1
    assert document["schema"] == "ngp.render/1"
    assert document["is_stale"] is True
    assert str(UNITS / "echo/main.tf") in document["missing"]
    assert f"+++ {UNITS / 'echo/main.tf'}" in document["diff"]


def test_other_version_is_told_with_what_it_changes(run, tree):
    run()
    tree.write({"ngp.yaml": "name: acme # ours\nrendered_by: 0.0.1\nstate: local\n"})
    code, _, err = run("--check")
    assert code == 0
    assert f"ngp 0.0.1 rendered this platform; ngp {ngp.__version__} changes 0 files" in err
    assert "ngp.yaml" not in run("dev")[1]
    assert "rendered_by: 0.0.1" in (tree.path / "ngp.yaml").read_text()
    assert json.loads(run("--json")[1])["differing"] == ["ngp.yaml"]
    text = f'name: acme # ours\nrendered_by: "{ngp.__version__}"\nstate: local\n'
    assert (tree.path / "ngp.yaml").read_text() == text


def test_findings_of_all_environments_come_at_once_and_nothing_is_written(run, tree):
    tree.write({"environments/dev/terraform.tfvars": "echo = {\n  txt = 1\n}\n"})
    tree.write({"environments/prod/environment.yaml": "units: {echo: {}}\n"})
    code, _, err = run()
    assert code == 64
    assert "txt" in err
    assert "`account` is missing" in err
    assert not (tree.path / UNITS).exists()


def test_environment_at_work_is_not_rendered(run, tree):
    with files.lock(tree.path / ".ngp/locks/dev.lock", purpose="ngp apply dev"):
        code, _, err = run()
    assert code == 5
    assert "`ngp apply dev`" in err
    assert not (tree.path / UNITS).exists()


def test_outside_a_platform_it_says_so(tmp_path_factory, capsys):
    assert cli.run(["--chdir", str(tmp_path_factory.mktemp("empty")), "render"]) == 64
    assert "this is not a platform" in capsys.readouterr().err


def test_init_that_cannot_write_makes_nothing(tmp_path_factory, capsys):
    folder = tmp_path_factory.mktemp("new") / "acme"
    folder.parent.joinpath("blocked").write_text("")
    assert cli.run(["init", str(folder.parent / "blocked/acme")]) == 1
    assert "none was made" in capsys.readouterr().err
