"""`--affected`: what each kind of change affects, and why, on a platform in a real Git repository."""

import shutil
import subprocess

import pytest

MODULE = """\
title: Lone
summary: Stands alone
category: network
provides: [vpc_id]
"""


def git(folder, *words):
    done = subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def append(path, text="\n# more\n"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text((path.read_text() if path.exists() else "") + text)


def extend(folder):
    """Beside `base` and `app`, which takes of it and calls `lib`: `lone`, which has nothing to do with them."""
    modules, dev = folder / "modules", folder / "environments" / "dev"
    for name in ("lone", "lib"):
        shutil.copytree(modules / "base", modules / name)
        for path in (modules / name).glob("base*"):
            path.rename(path.with_name(path.name.replace("base", name)))
        (modules / name / "module.yaml").write_text(MODULE.replace("Lone", name.title()))
    append(modules / "lone" / "files" / "old.sh", "exit 0\n" * 50)
    append(modules / "app" / "app.tf", '\nmodule "lib" {\n  source = "../lib"\n  cidr   = "10.9.0.0/16"\n}\n')
    edit(dev / "environment.yaml", "  app: {}\n", "  app: {}\n  lone: {}\n")
    append(dev / "terraform.tfvars", 'lone = {\n  cidr = "10.8.0.0/16"\n}\n')


@pytest.fixture(scope="module")
def template(shared_platform, ngp_in):
    """The extended platform, rendered and committed as main; a branch is checked out."""
    extend(shared_platform)
    done = ngp_in(shared_platform).run("render")
    assert done.exit_code == 0, done.stderr
    git(shared_platform, "add", "-A")
    git(shared_platform, "commit", "-qm", "rendered")
    git(shared_platform, "branch", "-qM", "main")
    git(shared_platform, "checkout", "-qb", "work")
    return shared_platform


@pytest.fixture
def platform(template, tmp_path):
    shutil.copytree(template, tmp_path / "platform", symlinks=True)
    return tmp_path / "platform"


def affected(ngp, *words):
    """By unit of dev the causes; `ngp env affected` is asked."""
    done = ngp.call("env", "affected", "--json", *words)
    assert done.exit_code == 0, done.stderr
    assert done.document["schema"] == "ngp.affected/1"
    rows = [row for row in done.document["affected"] if row["environment"] == "dev"]
    return {row["unit"]: [reason["cause"] for reason in row["reasons"]] for row in rows}


def removed(ngp, *words):
    document = ngp.call("env", "affected", "--json", *words).document
    return [(row["environment"], row["unit"]) for row in document["removed"]]


def texts(ngp, unit):
    rows = ngp.call("env", "affected", "dev", "--json").document["affected"]
    return [reason["text"] for row in rows if row["unit"] == unit for reason in row["reasons"]]


ALL = ("base", "app", "lone")


def test_nothing_changed_is_one_line_and_an_empty_list(platform, ngp):
    assert affected(ngp) == {}
    done = ngp.call("env", "affected")
    assert (done.exit_code, done.stdout) == (0, "")
    assert (
        done.stderr
        == f"nothing affected since {git(platform, 'rev-parse', '--short=8', 'main')} (where HEAD left main)\n"
    )


def test_a_changed_module_affects_its_unit_and_who_takes_its_outputs_in_every_environment(platform, ngp):
    append(platform / "modules/base/base.tf")
    done = ngp.call("env", "affected")
    assert done.stdout == (
        "dev base: its module changed: modules/base/base.tf\n"
        "dev app: takes vpc_id of base\n"
        "prod base: its module changed: modules/base/base.tf\n"
        "prod app: takes vpc_id of base\n"
    )


def test_only_the_environments_that_are_named_are_looked_at(platform, ngp):
    append(platform / "modules/base/base.tf")
    rows = ngp.call("env", "affected", "prod", "--json").document["affected"]
    assert [(row["environment"], row["unit"]) for row in rows] == [("prod", "base"), ("prod", "app")]


def test_an_untracked_file_of_a_module_counts(platform, ngp):
    append(platform / "modules/lone/files/new.sh")
    assert affected(ngp) == {"lone": ["module"]}


def test_a_file_that_is_gone_counts(platform, ngp):
    (platform / "modules/lone/files/old.sh").unlink()
    assert affected(ngp) == {"lone": ["module"]}


def test_a_renamed_file_counts_with_both_names(platform, ngp):
    git(platform, "mv", "modules/lone/files/old.sh", "modules/lone/files/renamed.sh")
    assert texts(ngp, "lone") == [
        "its module changed: modules/lone/files/old.sh, modules/lone/files/renamed.sh",
    ]


def test_a_module_that_a_module_calls_counts_and_is_named(platform, ngp):
    append(platform / "modules/lib/lib.tf")
    assert affected(ngp) == {"app": ["module"]}
    assert texts(ngp, "app") == ["its module calls modules/lib, which changed: modules/lib/lib.tf"]


def test_what_terraform_does_not_read_of_a_module_does_not_count(platform, ngp):
    module = platform / "modules" / "base"
    for name in ("README.md", "tests/base.tftest.hcl", "docs/picture.svg", "base.tftest.hcl"):
        append(module / name, "# text\n")
    edit(module / "base.dummy", "cidr", "# Another comment\ncidr")
    edit(module / "module.yaml", "summary: ", "summary: Still ")
    assert affected(ngp) == {}


def test_a_page_among_the_files_of_a_module_counts(platform, ngp):
    append(platform / "modules/lone/files/motd.md")
    assert affected(ngp) == {"lone": ["module"]}


@pytest.mark.parametrize("is_rendered", [False, True], ids=["before render", "after render"])
@pytest.mark.parametrize(
    ("path", "old", "new", "expected"),
    [
        ("environments/dev/terraform.tfvars", "10.0.0.0", "10.7.0.0", {"base": ["root"]}),
        ("environments/dev/terraform.tfvars", "10.8.0.0", "10.7.0.0", {"lone": ["root"]}),
        ("environments/dev/environment.yaml", "base.vpc_id", "lone.vpc_id", {"app": ["origin"]}),
        ("environments/dev/environment.yaml", "  lone: {}", "  lone: {}\n  two: {module: lib}", {"two": ["new"]}),
        ("ngp.yaml", "name: small", "name: small\nterraform_version: '>= 1.9'", dict.fromkeys(ALL, ["root"])),
        ("templates/root/versions.tf.j2", "terraform {", "terraform { # own", dict.fromkeys(ALL, ["root"])),
        ("modules/lone/lone-variables.tf", "The address range", "Another", {"lone": ["module", "root"]}),
    ],
)
def test_what_renders_differently_counts_whether_it_is_rendered_yet_or_not(
    platform, ngp, path, old, new, expected, is_rendered
):
    edit(platform / path, old, new)
    if "module: lib" in new:
        append(platform / "environments/dev/terraform.tfvars", 'two = {\n  cidr = "10.6.0.0/16"\n}\n')
    if is_rendered:
        assert ngp.call("render").exit_code == 0
    found = {unit: [cause for cause in causes if cause != "upstream"] for unit, causes in affected(ngp).items()}
    assert {unit: causes for unit, causes in found.items() if causes} == expected


def test_a_changed_wire_is_told_with_its_new_origin(platform, ngp):
    edit(platform / "environments/dev/environment.yaml", "base.vpc_id", "lone.vpc_id")
    assert texts(ngp, "app") == ["its inputs come from elsewhere: vpc_id from lone.vpc_id"]


def test_another_secret_is_told_by_its_reference(platform, ngp):
    variable = (
        'variable "token" {\n  description = "A token"\n  type = string\n  ephemeral = true\n  default = null\n}\n'
    )
    append(platform / "modules/lone/lone-variables.tf", variable)
    values = platform / "environments/dev/terraform.tfvars"
    edit(values, '"10.8.0.0/16"', '"10.8.0.0/16"\n  token = "env:ONE"')
    assert ngp.call("render").exit_code == 0
    git(platform, "add", "-A")
    git(platform, "commit", "-qm", "a secret")
    edit(values, "env:ONE", "env:TWO")
    rows = ngp.call("env", "affected", "--since", "HEAD", "--json").document["affected"]
    assert [reason["text"] for reason in rows[0]["reasons"]] == ["its inputs come from elsewhere: token from env:TWO"]
    edit(values, "10.0.0.0", "10.7.0.0")
    edit(values, "env:TWO", "env:ONE")
    assert affected(ngp, "--since", "HEAD") == {"base": ["root"], "app": ["upstream"]}


def test_an_unreadable_environment_of_the_commit_counts_as_wired_otherwise(platform, ngp):
    document = platform / "environments/dev/environment.yaml"
    good = document.read_text()
    document.write_text("units: [\n")
    git(platform, "commit", "-qam", "broken")
    document.write_text(good)
    assert affected(ngp, "--since", "HEAD") == {"app": ["origin"]}


def test_the_master_lock_file_counts(platform, ngp):
    append(platform / ".terraform.lock.hcl")
    causes = affected(ngp)
    assert {unit: found[0] for unit, found in causes.items()} == dict.fromkeys(ALL, "lock")


def test_an_edit_of_a_rendered_file_is_no_change_of_what_is_rendered(platform, ngp):
    append(platform / "environments/dev/units/lone/main.tf")
    assert affected(ngp) == {}


def test_a_file_of_the_operator_in_a_root_counts_and_what_running_leaves_does_not(platform, ngp):
    (platform / ".gitignore").unlink()
    root = platform / "environments/dev/units"
    append(root / "base/wired.auto.tfvars.json", "{}")
    append(root / "base/.terraform/modules.json", "{}")
    assert affected(ngp) == {}
    append(root / "lone/extra.tf")
    assert affected(ngp) == {"lone": ["root"]}


@pytest.mark.parametrize("is_rendered", [False, True], ids=["before render", "after render"])
def test_a_removed_unit_is_told_for_its_state_may_hold_resources(platform, ngp, is_rendered):
    edit(platform / "environments/dev/environment.yaml", "  lone: {}\n", "")
    edit(platform / "environments/dev/terraform.tfvars", 'lone = {\n  cidr = "10.8.0.0/16"\n}\n', "")
    if is_rendered:
        assert ngp.call("render").exit_code == 0
    assert affected(ngp) == {}
    assert removed(ngp) == [("dev", "lone")]
    assert removed(ngp, "prod") == []
    assert "dev lone: is gone; its state may still hold resources" in ngp.call("graph", "dev", "--affected").stderr


def test_the_units_of_a_removed_environment_are_told(platform, ngp):
    shutil.rmtree(platform / "environments/prod")
    edit(platform / "ngp.yaml", "protected: [prod]\n", "")
    assert removed(ngp) == [("prod", "app"), ("prod", "base")]


def test_a_pinned_environment_is_affected_by_its_pin_and_not_by_the_working_tree(platform, ngp):
    document = platform / "environments/dev/environment.yaml"
    first = git(platform, "rev-parse", "HEAD")
    append(document, f"catalogue: {first}\n")
    assert ngp.call("render").exit_code == 0
    append(platform / "modules/lone/lone.tf")
    git(platform, "add", "-A")
    git(platform, "commit", "-qm", "pinned")
    append(platform / "modules/lone/lone.tf")
    append(platform / "modules/base/base.tf")
    assert affected(ngp, "--since", "HEAD") == {}
    second = git(platform, "rev-parse", "HEAD")
    edit(document, first, second)
    assert affected(ngp, "--since", second) == {"lone": ["module"]}
    assert "environments/dev/modules/lone/lone.tf" in ngp.call("env", "affected", "--since", second).stdout


def test_the_one_root_of_a_single_state_affects_all_its_units(platform, ngp):
    document = platform / "environments/dev/environment.yaml"
    append(document, "state: single\n")
    assert affected(ngp) == {"base": ["new"], "app": ["new", "upstream"], "lone": ["new"]}
    assert removed(ngp) == [("dev", "app"), ("dev", "base"), ("dev", "lone")]
    ngp.call("render")
    git(platform, "add", "-A")
    git(platform, "commit", "-qm", "one root")
    append(platform / "modules/lone/lone.tf")
    assert affected(ngp, "--since", "HEAD") == {"lone": ["module"]}
    edit(platform / "environments/dev/terraform.tfvars", "10.8.0.0", "10.7.0.0")
    assert {unit: found[-1] for unit, found in affected(ngp, "--since", "HEAD").items()} == {
        "base": "root",
        "app": "upstream",
        "lone": "root",
    }
