"""`ngp module` from the command line, and what Terraform says of modules."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from ngp.catalogue.rules import resources

ROOT = Path(__file__).parents[3]
WEB_SITE = (
    "module",
    "new",
    "web-site",
    "--category",
    "apps",
    "--summary",
    'A "site" with ${x} and %{y}: é',
    "--no-input",
)


@pytest.fixture
def catalogue(platform):
    """The platform's modules: the network."""
    shutil.copytree(ROOT / "modules" / "network", platform / "modules" / "network", dirs_exist_ok=True)
    shutil.copy(ROOT / ".terraform.lock.hcl", platform)
    return platform / "modules"


def test_a_new_module_is_at_once_listed_and_shown(ngp, catalogue):
    made = ngp.call(*WEB_SITE, "--requires", "vpc_id", "--requires", "public_subnet_ids")
    assert made.exit_code == 0, made.stderr
    listed = json.loads(ngp.call("module", "list", "--json").stdout)
    assert listed["schema"] == "ngp.module.list/1"
    (module,) = [each for each in listed["modules"] if each["name"] == "web-site"]
    assert module["requires"] == ["vpc_id", "public_subnet_ids"]
    assert module["summary"] == WEB_SITE[6]
    assert "web-site" in ngp.call("module", "list").stdout
    shown = json.loads(ngp.call("module", "show", "web-site", "--json").stdout)
    types = {each["name"]: each["type"] for each in shown["inputs"]}
    assert types["public_subnet_ids"] == "list(string)"
    assert "parameter_arn: ARN of the parameter." in ngp.call("module", "show", "web-site").stdout


@pytest.mark.terraform
@pytest.mark.slow
def test_a_new_module_is_checked_clean_by_terraform_too(ngp, catalogue):
    needs = [word for name in ("vpc_id", "public_subnet_ids", "alarm_topic_arn") for word in ("--requires", name)]
    assert ngp.call(*WEB_SITE, *needs).exit_code == 0
    assert ngp.call("module", "new", "plain", "--category", "apps", "--summary", "It.", "--no-input").exit_code == 0
    before = {path: path.read_bytes() for path in catalogue.rglob("*") if path.is_file()}
    checked = ngp.call("module", "check", "web-site", "plain")
    assert (checked.exit_code, checked.stdout) == (0, "2 modules checked, nothing found\n"), checked.stderr
    assert {path: path.read_bytes() for path in catalogue.rglob("*") if path.is_file()} == before


@pytest.mark.terraform
@pytest.mark.slow
def test_faults_that_only_terraform_sees_are_told_with_their_places(ngp, catalogue):
    assert ngp.call(*WEB_SITE).exit_code == 0
    folder = catalogue / "web-site"

    def change(name, old, new):
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1))

    change("web-site.tf", 'type        = "String"', 'type   = "String"')
    change("web-site-variables.tf", '"^[A-Za-z0-9][A-Za-z0-9-]{1,10}[A-Za-z0-9]$"', '"^[A-Za-z0-9-]{3,12}$"')
    change("tests/web-site.tftest.hcl", "/ngp/shop-a", "/ngp/shop-b")
    change("web-site.dummy", "pre_tag  =", "pre_tag =")
    checked = ngp.call("module", "check", "web-site", "--json")
    assert checked.exit_code == 1
    document = json.loads(checked.stdout)
    assert (document["schema"], document["modules"]) == ("ngp.module.check/1", ["web-site"])
    found = {
        (one["rule"], f"{one['file'].removeprefix('modules/web-site/')}:{one['line']}") for one in document["findings"]
    }
    naming = next(fault for fault in document["findings"] if fault["rule"] == "naming")
    assert "about `-abc`, `abc-`" in naming["what"]
    places = {rule: re.sub(r":\d+$", "", where) for rule, where in found}
    assert places["tests"] == "tests/web-site.tftest.hcl"
    assert ("format", "web-site.dummy:2") in found
    assert any(rule == "format" and where.startswith("web-site.tf:") for rule, where in found)
    change("web-site.tf", "local.name, local.unit", "local.nam, local.unit")
    checked = json.loads(ngp.call("module", "check", "web-site", "--json").stdout)
    assert "validate" in {fault["rule"] for fault in checked["findings"]}


def test_check_without_terraform_needs_no_terraform(ngp, catalogue):
    (catalogue / "network" / "README.md").unlink()
    checked = ngp.call("module", "check", "--no-terraform", env={"PATH": ""})
    assert checked.exit_code == 1
    assert "network [files]: README.md is missing" in checked.stdout


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("module", "new", "network", "--no-input"), "`network` already exists"),
        (("module", "new", "Web", "--no-input"), "`Web` is not a valid module name"),
        (("module", "new", "tags", "--no-input"), "it is the name of an input in terraform.tfvars"),
        (("module", "new", "a" * 32, "--no-input"), "at most 31"),
        (("module", "new", "web", "--no-input"), "pass `--summary TEXT`"),
        (("module", "new", "web", "--summary", "s"), "pass `--category TEXT`"),
        ((*WEB_SITE, "--requires", "vpc"), "did you mean `vpc_id`?"),
        ((*WEB_SITE, "--requires", "pre_tag"), "`pre_tag` cannot be wired"),
        ((*WEB_SITE, "--requires", "vpc_id", "--requires", "vpc_id"), "`vpc_id` is required twice"),
        ((*WEB_SITE, "--title", "a\nb"), "the title must be one line of text"),
        (("module", "show", "networc"), "did you mean `network`?"),
        (("module", "check", "networc"), "did you mean `network`?"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_written(ngp, catalogue, argv, message):
    before = sorted(catalogue.rglob("*"))
    outcome = ngp.call(*argv, "--no-terraform") if argv[1] == "check" else ngp.call(*argv)
    assert outcome.exit_code == 64
    assert message in outcome.stderr
    assert sorted(catalogue.rglob("*")) == before


def test_a_platforms_own_template_is_used_and_its_fault_told(ngp, catalogue):
    own = catalogue.parent / "templates" / "module" / "README.md.j2"
    own.parent.mkdir(parents=True)
    own.write_text("# Ours: {{ name }}\n")
    assert ngp.call(*WEB_SITE).exit_code == 0
    assert (catalogue / "web-site" / "README.md").read_text().startswith("# Ours: web-site\n\n<!-- facts")
    own.write_text("a\n{{ nme }}\n")
    outcome = ngp.call("module", "new", "other", *WEB_SITE[3:])
    assert outcome.exit_code == 64
    assert f"{own}:2" in outcome.stderr
    assert not (catalogue / "other").exists()


@pytest.mark.terraform
@pytest.mark.slow
def test_the_types_with_tags_are_those_of_the_provider(tmp_path):
    from ngp.terraform import binary, child_environ, driver, lockfile, mirror

    shutil.copy(ROOT / "modules" / "network" / "network.tf", tmp_path)
    text = re.search(r"terraform \{.*?\n\}\n", (tmp_path / "network.tf").read_text(), re.DOTALL).group()
    (tmp_path / "network.tf").write_text(text)
    shutil.copy(ROOT / ".terraform.lock.hcl", tmp_path)
    environ = dict(os.environ)
    found = binary.find("", ">= 1.10", environ, cwd=tmp_path, cache=tmp_path / "cache")
    places = mirror.Places(environ, Path(environ["HOME"]), tmp_path / "cache")
    providers = mirror.provide(lockfile.load(tmp_path / lockfile.NAME), found, places)
    terraform = driver.Terraform(found, child_environ.build(environ, {}), providers.folder)
    root = driver.Root(tmp_path, tmp_path / "data")
    assert terraform.init(root, backend=False).is_ok
    schemas = _schemas(found, root)
    assert {name for name, schema in schemas.items() if "tags" in schema["block"]["attributes"]} == resources.taggable()


def _schemas(found, root):
    import subprocess

    env = {**os.environ, "TF_DATA_DIR": str(root.data)}
    env.pop("TF_CLI_CONFIG_FILE", None)
    done = subprocess.run(
        [*found.argv, "providers", "schema", "-json"], cwd=root.path, env=env, capture_output=True, check=True
    )
    return json.loads(done.stdout)["provider_schemas"]["registry.terraform.io/hashicorp/aws"]["resource_schemas"]
