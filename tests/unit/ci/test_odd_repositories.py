"""`ngp ci plan` where a repository has submodules, or names that are not UTF-8. Nothing here starts Terraform."""

import subprocess

import pytest

LATIN = "caf\udce9"  # how Python holds the ISO 8859-1 of "café", which is no UTF-8
EXTERNAL = 'data "external" "x" {\n  program = ["id"]\n}\n'
CALL = 'module "inner" {\n  source = "../../vendor/library"\n}\n'


@pytest.fixture
def library(tmp_path):
    """Another repository, for a submodule."""
    path = tmp_path / "library"
    path.mkdir()
    (path / "main.tf").write_text("# one\n")
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "one"]):
        subprocess.run(["git", *words], cwd=path, check=True, capture_output=True)
    return path


def move(repository, library, place):
    """Commit a submodule that moved to a newer commit."""
    (library / "main.tf").write_text("# two\n")
    subprocess.run(["git", "commit", "-qam", "two"], cwd=library, check=True)
    subprocess.run(["git", "pull", "-q", str(library), "main"], cwd=repository.path / place, check=True)
    repository.commit()


@pytest.mark.parametrize(
    ("place", "affected"), [("docs/library", False), ("vendor/library", True), ("modules/base/library", True)]
)
def test_a_submodule_that_moves_affects_the_units_that_use_it(repository, library, place, affected):
    main = repository.path / "modules/base/base.tf"
    main.write_text(main.read_text() + CALL)
    repository.git("-c", "protocol.file.allow=always", "submodule", "add", "--quiet", str(library), place)
    base = repository.commit()
    move(repository, library, place)
    done = repository.run("plan", "--json", event=repository.pull(base))
    assert done.exit_code == 0, done.stderr
    assert bool(done.document["environments"]) is affected
    assert ("base: its module" in done.stderr) is affected


def test_a_module_that_is_a_submodule_affects_its_units(repository, library):
    for name in ("base.tf", "base-output.tf", "base-variables.tf", "base.dummy", "module.yaml"):
        source = repository.path / "modules/base" / name
        if source.exists():
            (library / name).write_bytes(source.read_bytes())
    for words in (["add", "-A"], ["commit", "-qm", "base"]):
        subprocess.run(["git", *words], cwd=library, check=True, capture_output=True)
    repository.git("rm", "-rq", "modules/base")
    repository.git("-c", "protocol.file.allow=always", "submodule", "add", "--quiet", str(library), "modules/base")
    base = repository.commit()
    move(repository, library, "modules/base")
    done = repository.run("plan", "--json", event=repository.pull(base))
    assert done.exit_code == 0, done.stderr
    assert "base: its module changed: modules/base" in done.stderr


def test_names_that_are_not_utf_8_are_told_as_they_can_be(repository):
    base = repository.head
    (repository.path / "docs").mkdir()
    for name in ("docs/{}.txt", "docs/{}.rego", "environments/dev/units/base/{}.txt"):
        (repository.path / name.format(LATIN)).write_text("x\n")
    repository.git("add", "--all")
    who = f"--author={LATIN} <{LATIN}@example.com>"
    repository.git("-c", "i18n.commitEncoding=ISO-8859-1", "commit", "-qm", LATIN, who)
    repository.git("checkout", "-qb", LATIN)
    done = repository.run("plan", "--json", event=repository.pull(base))
    assert done.exit_code == 0, done.stderr
    [one] = repository.forge.comments
    assert "its root environments/dev/units/base differs in caf\ufffd.txt" in one["body"]
    assert [flag["file"] for flag in done.document["flags"]] == ["docs/caf\ufffd.rego"]


def test_code_whose_name_is_not_utf_8_is_told_to_the_reviewer(repository):
    """Terraform reads it all the same, and no other rule looks into what cannot be opened by the name that Git says."""
    base = repository.head
    (repository.path / f"environments/dev/units/base/{LATIN}.tf").write_text(EXTERNAL)
    repository.git("add", "--all")
    repository.git("commit", "-qm", "two")
    done = repository.run("plan", "--json", event=repository.pull(base))
    assert done.exit_code == 0, done.stderr
    [flag] = done.document["flags"]
    assert (flag["what"], flag["why"]) == ("ngp cannot check this file", "its name is not UTF-8")
    assert "units/base/caf\ufffd.tf`: `ngp cannot check this file" in repository.forge.comments[0]["body"]


def test_a_link_whose_name_is_not_utf_8_is_not_followed(repository, tmp_path):
    (tmp_path / "outside").write_text("token = ghs_0123456789\n")
    base = repository.head
    (repository.path / f"modules/base/{LATIN}.tf").symlink_to(tmp_path / "outside")
    repository.git("add", "--all")
    repository.git("commit", "-qm", "two")
    done = repository.run("plan", event=repository.pull(base))
    assert done.exit_code == 64
    assert "cannot check where this link points" in done.stderr
    assert "ghs_" not in done.stderr + repository.forge.comments[0]["body"]
    assert str(repository.path) not in repository.forge.comments[0]["body"]


CONFLICT = '{0}<<<<<<< HEAD\n{1} = "one"\n=======\n{1} = "two"\n>>>>>>> main\n'
YAML = "{0}<<<<<<< HEAD\n{1}: one\n=======\n{1}: two\n>>>>>>> main\n"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("environments/dev/terraform.tfvars", CONFLICT.format("", "common")),
        ("environments/dev/environment.yaml", YAML.format("target: sandbox\n", "region")),
        ("modules/base/base.tf", CONFLICT.format("# one\n", "locals")),
        ("modules/base/module.yaml", YAML.format("title: Base\n", "summary")),
        ("ngp.yaml", YAML.format("name: small\n", "state")),
    ],
)
def test_a_conflict_that_was_committed_is_called_so(repository, path, text):
    """By its place within the platform, whatever a parser would say of the text."""
    base = repository.head
    (repository.path / path).write_text(text)
    repository.commit()
    done = repository.run("plan", event=repository.pull(base))
    assert done.exit_code == 64
    line = text.splitlines().index("<<<<<<< HEAD") + 1
    assert f"`{path}:{line}`: `this is a conflict of Git`" in repository.forge.comments[0]["body"], done.stderr
