"""`--affected`: what each kind of change affects, and why, on a platform in a real Git repository."""

import shutil

import pytest

from ngp.review import affected as review
from tests.git import git

MODULE = """\
title: Lone
summary: Stands alone
category: network
provides: [vpc_id]
"""


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
    assert done.document["schema"] == "ngp.env.affected/1"
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
        == f"nothing affected since {git(platform, 'rev-parse', '--short=8', 'main')} (where HEAD branched off main)\n"
    )


def test_a_changed_module_affects_its_unit_and_who_takes_its_outputs_in_every_environment(platform, ngp):
    append(platform / "modules/base/base.tf")
    done = ngp.call("env", "affected")
    assert done.stdout == (
        "dev base: its module changed: modules/base/base.tf\n"
        "dev app: uses vpc_id of base\n"
        "prod base: its module changed: modules/base/base.tf\n"
        "prod app: uses vpc_id of base\n"
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
    [row] = [row for row in ngp.call("env", "affected", "dev", "--json").document["affected"] if row["unit"] == "app"]
    assert [reason["folder"] for reason in row["reasons"]] == ["modules/lib"]


def test_what_terraform_does_not_read_of_a_module_does_not_count(platform, ngp):
    module = platform / "modules" / "base"
    for name in ("README.md", "tests/base.tftest.hcl", "base.tftest.hcl"):
        append(module / name, "# text\n")
    edit(module / "base.dummy", "cidr", "# Another comment\ncidr")
    edit(module / "module.yaml", "summary: ", "summary: Still ")
    assert affected(ngp) == {}


@pytest.mark.parametrize("name", ["motd.md", "docs/policy.json", "files/README.md", "other.dummy", "files/tests/a"])
def test_what_a_module_may_read_itself_counts_wherever_it_lies(platform, ngp, name):
    append(platform / "modules/lone" / name)
    assert affected(ngp) == {"lone": ["module"]}


def test_what_links_of_a_module_lead_to_counts(platform, ngp):
    module = platform / "modules" / "lone"
    append(platform / "common/a.tf", "# a\n")
    append(platform / "common/more/b.sh", "# b\n")
    append(platform / "other/b.sh", "# other\n")
    (module / "a.tf").symlink_to("../../common/a.tf")
    (platform / "common/more/c").symlink_to("../../other")
    (module / "more").symlink_to("../../common/more")
    (module / "parent").symlink_to(".")
    (module / "itself").symlink_to("itself")
    git(platform, "add", "-A")
    git(platform, "commit", "-qm", "links")
    for path in ("common/a.tf", "common/more/b.sh", "other/b.sh"):
        append(platform / path)
        found = ngp.call("env", "affected", "--since", "HEAD").stdout
        assert found == f"dev lone: its module changed: {path}\n"
        git(platform, "checkout", "-q", ".")


def test_a_module_that_is_a_link_counts_where_it_lies_and_when_it_leads_elsewhere(platform, ngp):
    (platform / "vendored").mkdir()
    for name in ("lone", "lib"):
        (platform / "modules" / name).rename(platform / "vendored" / name)
        (platform / "modules" / name).symlink_to(f"../vendored/{name}")
    shutil.copytree(platform / "vendored/lib", platform / "vendored/lib-2")
    git(platform, "add", "-A")
    git(platform, "commit", "-qm", "links")
    append(platform / "vendored/lone/lone.tf")
    assert affected(ngp, "--since", "HEAD") == {"lone": ["module"]}
    edit(platform / "vendored/lone/lone.dummy", "cidr", "# Another comment\ncidr")
    git(platform, "checkout", "-q", "vendored/lone/lone.tf")
    assert affected(ngp, "--since", "HEAD") == {}
    (platform / "modules/lib").unlink()
    (platform / "modules/lib").symlink_to("../vendored/lib-2")
    assert affected(ngp, "--since", "HEAD") == {"app": ["module"]}


def test_a_module_beside_a_platform_in_a_subdirectory_counts(template, tmp_path, ngp_in):
    folder = tmp_path / "repository" / "region"
    shutil.copytree(template, folder, symlinks=True, ignore=shutil.ignore_patterns(".git"))
    append(tmp_path / "repository/shared/leaf/main.tf", "# leaf\n")
    append(folder / "modules/lone/more.tf", 'module "leaf" { source = "../../../shared/leaf" }\n')
    git(tmp_path / "repository", "init", "-qb", "main")
    git(tmp_path / "repository", "add", "-A")
    git(tmp_path / "repository", "commit", "-qm", "all")
    append(tmp_path / "repository/shared/leaf/main.tf")
    done = ngp_in(folder).call("env", "affected", "--since", "HEAD")
    assert done.stdout == "dev lone: its module calls ../shared/leaf, which changed: ../shared/leaf/main.tf\n"


def test_a_module_is_looked_at_once_for_all_environments(platform, ngp, monkeypatch):
    looked = []
    real = review.places
    monkeypatch.setattr(review, "places", lambda folder: looked.append(folder) or real(folder))
    assert affected(ngp) == {}
    modules = sorted(path.name for path in looked)
    assert modules == ["app", "base", "lib", "lone"]


def test_another_terraform_affects_every_unit(platform, ngp):
    append(platform / "ngp.yaml", "terraform: tofu\n")
    assert {unit: causes[0] for unit, causes in affected(ngp).items()} == dict.fromkeys(ALL, "platform")
    assert texts(ngp, "lone") == ["ngp.yaml selects another Terraform: tofu"]
    git(platform, "commit", "-qam", "tofu")
    append(platform / "ngp.yaml", "# a comment\n")
    assert affected(ngp, "--since", "HEAD") == {}


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
    assert texts(ngp, "app") == ["its inputs have other sources: vpc_id from lone.vpc_id"]


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
    assert [reason["text"] for reason in rows[0]["reasons"]] == ["its inputs have other sources: token from env:TWO"]
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


def test_an_edit_of_a_rendered_file_counts_until_it_is_rendered_again(platform, ngp):
    append(platform / "environments/dev/units/lone/main.tf")
    git(platform, "commit", "-qam", "by hand")
    assert affected(ngp) == {"lone": ["root"]}
    assert ngp.call("render", "--affected").exit_code == 0
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
    assert "dev lone: was removed; if its state still has resources" in ngp.call("graph", "dev", "--affected").stderr


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


@pytest.mark.parametrize("name", ["lone.tf", "more.tf"], ids=["edited", "added"])
def test_an_edit_of_a_pinned_copy_counts(platform, ngp, name):
    append(platform / "environments/dev/environment.yaml", f"catalogue: {git(platform, 'rev-parse', 'HEAD')}\n")
    assert ngp.call("render").exit_code == 0
    git(platform, "add", "-A")
    git(platform, "commit", "-qm", "pinned")
    append(platform / "environments/dev/modules/lone" / name)
    assert affected(ngp, "--since", "HEAD") == {"lone": ["module"]}


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


def test_a_unit_taken_out_of_the_one_root_is_removed(platform, ngp):
    document = platform / "environments/dev/environment.yaml"
    append(document, "state: single\n")
    ngp.call("render")
    git(platform, "add", "-A")
    git(platform, "commit", "-qm", "one root")
    edit(document, "  lone: {}\n", "")
    edit(platform / "environments/dev/terraform.tfvars", 'lone = {\n  cidr = "10.8.0.0/16"\n}\n', "")
    assert removed(ngp, "--since", "HEAD") == [("dev", "lone")]
    done = ngp.call("env", "affected", "--since", "HEAD")
    assert "dev lone: was removed from environments/dev/root; its plan shows what will be destroyed\n" in done.stdout
    git(platform, "checkout", "-q", ".")
    edit(document, "state: single\n", "")
    assert removed(ngp, "--since", "HEAD") == [("dev", "base"), ("dev", "app"), ("dev", "lone")]


def test_of_many_units_the_changed_ones_are_named_and_who_takes_of_them_is_counted(platform, ngp):
    dev = platform / "environments/dev"
    names = [f"app-{number}" for number in range(50)]
    edit(
        dev / "environment.yaml",
        "  app: {}\n",
        "  app: {}\n" + "".join(f"  {name}: {{module: app}}\n" for name in names),
    )
    edit(
        dev / "environment.yaml",
        "wiring:\n",
        "wiring:\n" + "".join(f"  {name}: {{vpc_id: base.vpc_id}}\n" for name in names),
    )
    ngp.call("render")
    git(platform, "add", "-A")
    git(platform, "commit", "-qm", "many")
    edit(dev / "environment.yaml", "  lone: {}\n", "")
    edit(dev / "terraform.tfvars", 'lone = {\n  cidr = "10.8.0.0/16"\n}\n', 'app-49 = {\n  command = "x"\n}\n')
    edit(dev / "terraform.tfvars", "10.0.0.0", "10.7.0.0")
    asked = ("env", "affected", "dev", "--since", "HEAD")
    lines = ngp.call(*asked).stdout.splitlines()
    assert [line.partition(":")[0] for line in lines[:-1]] == ["dev lone", "dev base", "dev app-49"]
    assert lines[-1] == "… and 50 more units (--all or --json shows them)"
    assert len(ngp.call(*asked, "--all").stdout.splitlines()) == 53
    said = ngp.call("graph", "dev", "--affected", "--since", "HEAD").stderr.splitlines()
    assert [line.partition(":")[0] for line in said[1:-1]] == ["  dev lone", "  dev base", "  dev app-49"]
    assert said[-1] == "  … and 50 more units (ngp env affected --all shows them)"
