"""ngp configure, env and validate from the command line: streams, exit codes, the tree when something is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ngp import cli, files

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def ngp(house, capsys):
    """Run a command line in the platform: (exit code, stdout, stderr)."""

    def run(*words):
        code = cli.run(["-C", str(house.path), *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_configure_without_a_terminal_never_asks(ngp, house):
    house.environment(values="")
    before = house.tree()
    code, out, err = ngp("configure", "dev")
    assert (code, out) == (64, "")
    assert "--set pre_tag=VALUE" in err
    assert house.tree() == before


def test_configure_writes_the_choice_and_says_what_to_type_next(ngp, house):
    code, out, err = ngp("configure", "dev", "--module", "network", "--module", "swarm")
    assert (code, out) == (0, "")
    for said in ("added: swarm", "removed: openvpn", "wired: swarm.vpc_id = network.vpc_id", "next: ngp render dev"):
        assert said in err
    assert house.resolve().edges == {"network": (), "swarm": ("network",)}


def test_configure_takes_the_only_environment(ngp, house):
    assert ngp("configure")[0] == 0
    house.environment(name="stage")
    code, _, err = ngp("configure")
    assert code == 64
    assert "the platform has dev, stage" in err


def test_configure_in_a_platform_without_environments_says_how_to_make_one(ngp, house):
    (house.path / "environments" / "dev" / "environment.yaml").unlink()
    code, _, err = ngp("configure")
    assert code == 64
    assert "ngp env new dev" in err


def test_a_dry_run_writes_nothing(ngp, house):
    before = house.tree()
    code, out, _ = ngp("configure", "dev", "--module", "network", "--dry-run", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["changed"] == ["environments/dev/environment.yaml", "environments/dev/terraform.tfvars"]
    assert found["written"] is False
    assert house.tree() == before


def test_configure_says_when_nothing_changes(ngp, house):
    before = house.tree()
    code, _, err = ngp("configure", "dev")
    assert code == 0
    assert "nothing to change" in err
    assert house.tree() == before


def test_a_second_ngp_in_one_environment_is_refused(ngp, house):
    with files.lock(house.path / ".ngp" / "locks" / "dev.lock", purpose="ngp apply dev"):
        code, _, err = ngp("configure", "dev", "--module", "network")
    assert code == 5
    assert "ngp apply dev" in err


def test_a_failure_is_a_document_too(ngp):
    code, out, _ = ngp("configure", "dev", "--module", "opnvpn", "--json")
    assert code == 64
    assert "opnvpn" in json.loads(out)["error"]["findings"][0]["what"]


@pytest.mark.parametrize("word", ["configure", "validate"])
def test_an_unknown_environment_is_told(ngp, house, word):
    before = house.tree()
    code, _, err = ngp(word, "dve")
    assert code == 64
    assert "did you mean `dev`?" in err
    assert house.tree() == before


def test_env_new_makes_an_environment_that_configure_fills(ngp, house):
    arguments = ("--region", "eu-west-1", "--account", "012345678901", "--domain", "stage.example.com")
    code, out, err = ngp("env", "new", "stage", *arguments)
    assert (code, out) == (0, "")
    assert "next: ngp configure stage" in err
    assert house.resolve("stage").environment.account == "012345678901"
    sets = ("--set", "pre_tag=demo", "--set", "post_tag=stage")
    assert ngp("configure", "stage", "--module", "network", *sets)[0] == 0
    assert house.resolve("stage").bindings.keys() == {"network"}


def test_env_new_from_another_takes_units_values_and_comments(ngp, house):
    code, _, err = ngp("env", "new", "stage", "--from", "dev", "--region", "eu-central-1", "--domain", "s.example.com")
    assert code == 0, err
    resolved = house.resolve("stage")
    assert resolved.bindings.keys() == {"network", "openvpn"}
    assert house.read("terraform.tfvars", "stage") == house.read("terraform.tfvars").replace('"dev"', '"stage"')
    assert "# The stage where we try things" in house.read("environment.yaml", "stage")


def test_env_new_names_what_stays_in_the_sandbox(ngp, house):
    arguments = ("--from", "dev", "--no-sandbox", "--region", "eu-west-1", "--account", "012345678901")
    code, _, err = ngp("env", "new", "stage", *arguments, "--domain", "s.example.com")
    assert code == 0
    assert "not copied, for it belongs to the account or sandbox of `dev`: pre_tag" in err
    assert "pre_tag" not in house.read("terraform.tfvars", "stage")
    _, out, _ = ngp("env", "new", "prod", *arguments, "--domain", "p.example.com", "--json")
    assert "pre_tag" in json.loads(out)["left_out"]


def test_env_new_in_another_account_leaves_the_credentials_behind(ngp, house):
    house.environment(house.read("environment.yaml").replace("target: sandbox", "target: aws\nprofile: me"))
    common = ("--from", "dev", "--region", "eu-west-1", "--domain", "s.example.com")
    assert "not copied" not in ngp("env", "new", "same", *common, "--account", "123456789012")[2]
    assert "of `dev`: profile\n" in ngp("env", "new", "other", *common, "--account", "012345678901")[2]
    assert "profile: me" in house.read("environment.yaml", "same")
    assert "profile" not in house.read("environment.yaml", "other")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("stage", "--region", "eu-west-1"), "needs --account"),
        (("stage", "--region", "x", "--account", "012345678901", "--domain", "a.b"), "it must be a region"),
        (("stage", "--region", "eu-west-1", "--account", "12", "--domain", "a.b"), "12 digits"),
        (("dev", "--region", "eu-west-1", "--account", "012345678901", "--domain", "a.b"), "already exists"),
        (("a/b", "--region", "eu-west-1", "--account", "012345678901", "--domain", "a.b"), "is not a valid"),
        (("stage", "--from", "dve"), "did you mean `dev`?"),
    ],
)
def test_env_new_refuses_wrong_facts_and_makes_nothing(ngp, house, arguments, said):
    before = house.tree()
    code, _, err = ngp("env", "new", *arguments)
    assert code == 64
    assert said in err
    assert house.tree() == before


def test_env_list_shows_each_environment_and_those_that_cannot_be_read(ngp, house):
    house.environment("target: x\n", name="broken")
    code, out, _ = ngp("env", "list")
    assert code == 0
    lines = out.splitlines()
    assert lines[1].split() == ["broken", "invalid:", "see", "ngp", "validate"]
    assert lines[2].split() == [
        "dev",
        "sandbox",
        "123456789012",
        "eu-central-1",
        "dev.example.com",
        "network,",
        "openvpn",
    ]
    found = json.loads(ngp("env", "list", "--json")[1])
    assert found["environments"][1]["units"] == ["network", "openvpn"]
    assert "target" in found["environments"][0]["error"]


def test_validate_gathers_what_is_wrong_in_all_environments(ngp, house):
    assert ngp("validate", "--no-terraform")[0] == 0
    house.environment(values="", name="stage")
    house.environment("target: x\n", name="broken")
    code, _, err = ngp("validate", "--no-terraform")
    assert code == 64
    for said in ("`target` is invalid", "`openvpn.admin_cidrs` has no value"):
        assert said in err


def test_validate_warns_of_a_quorum_in_too_few_zones_and_passes(ngp, house):
    manifest = house.path / "modules" / "openvpn" / "module.yaml"
    manifest.write_text(f"{manifest.read_text()}quorum: [aws_instance.server]\n")
    server = 'resource "aws_instance" "server" {\n  count = 3\n  subnet_id = var.admin_cidrs[count.index]\n}\n'
    (house.path / "modules" / "openvpn" / "openvpn.tf").write_text(server)
    code, out, err = ngp("validate", "dev", "--no-terraform")
    assert (code, out) == (0, "valid: dev\n")
    assert "warning: openvpn: the 3 members of a quorum (aws_instance.server) are in one zone" in err
    assert f"{Path('environments/dev/terraform.tfvars')}:6" in err
    told = json.loads(ngp("validate", "dev", "--no-terraform", "--json")[1])
    assert (told["findings"], [each["line"] for each in told["warnings"]]) == ([], [6])


def test_validate_refuses_a_host_key_that_is_not_whole(ngp, house):
    key = "host_keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9V]"
    (house.path / "hosts.yaml").write_text(f"hosts:\n  a: {{environment: qa, address: 10.0.0.1, {key}}}\n")
    code, _, err = ngp("validate", "--no-terraform")
    assert code == 64
    for told in ("hosts.yaml:2", "is not a whole key"):
        assert told in err


def test_validate_refuses_an_unknown_unit(ngp):
    code, _, err = ngp("validate", "dev", "opnvpn", "--no-terraform")
    assert code == 64
    assert "did you mean `openvpn`?" in err


def test_validate_says_that_a_root_is_not_rendered(ngp):
    code, out, _ = ngp("validate", "dev")
    assert code == 1
    assert "the root of dev network is not rendered" in out
    assert "ngp render dev" in out


def test_the_old_entrance_configures(house):
    command = [sys.executable, str(REPOSITORY / "configure.py"), "dev", "--module", "network", "--json"]
    done = subprocess.run(command, cwd=house.path, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["removed"] == ["openvpn"]


def test_validate_says_that_a_wire_makes_a_count_unknown(ngp, house):
    main = house.path / "modules" / "openvpn" / "openvpn.tf"
    main.write_text('resource "terraform_data" "peer" {\n  count = var.peer == "" ? 0 : 1\n}\n')
    assert ngp("validate", "dev", "--no-terraform")[0] == 0
    house.environment(
        house.read("environment.yaml").replace("network.vpc_id}", "network.vpc_id, peer: network.vpc_id}")
    )
    code, out, _ = ngp("validate", "dev", "--no-terraform")
    assert code == 1
    assert "environment.yaml:10 wires `openvpn` so that `count` of `terraform_data.peer` depends on `peer`" in out


def test_env_new_keeps_values_that_lie_there_already(ngp, house):
    folder = house.path / "environments" / "stage"
    folder.mkdir()
    (folder / "terraform.tfvars").write_text("# mine\n")
    before = house.tree()
    facts = ("--region", "eu-west-1", "--account", "012345678901", "--domain", "a.b.com")
    code, _, err = ngp("env", "new", "stage", *facts)
    assert (code, house.tree()) == (64, before)
    assert "stage/terraform.tfvars" in err


def test_env_new_tells_all_wrong_facts_by_their_flags(ngp, house):
    before = house.tree()
    facts = ("--region", "x\nprofile: y", "--account", "1", "--domain", "y")
    code, _, err = ngp("env", "new", "stage", *facts)
    assert (code, house.tree()) == (64, before)
    for flag in ("--region", "--account", "--domain"):
        assert f"where: {flag}\n" in err


@pytest.mark.parametrize(("flags", "target"), [((), "sandbox"), (("--no-sandbox",), "aws")])
def test_env_new_has_the_target_of_its_origin_unless_told(ngp, house, flags, target):
    facts = ("--region", "eu-west-1", "--account", "012345678901", "--domain", "a.b.com")
    assert ngp("env", "new", "stage", "--from", "dev", *facts, *flags)[0] == 0
    assert f"target: {target}\n" in house.read("environment.yaml", "stage")


def test_env_new_from_another_says_its_own_name_on_top(ngp, house):
    facts = ("--region", "eu-west-1", "--account", "012345678901", "--domain", "a.b.com")
    assert ngp("env", "new", "stage", *facts)[0] == 0
    assert ngp("env", "new", "live", "--from", "stage", *facts)[0] == 0
    for file in ("environment.yaml", "terraform.tfvars"):
        assert house.read(file, "live") == house.read(file, "stage").replace("stage", "live")


def test_configure_keeps_permissions_and_links(ngp, house):
    values, shared = house.path / "environments/dev/terraform.tfvars", house.path / "shared.tfvars"
    values.rename(shared)
    shared.chmod(0o600)
    values.symlink_to("../../shared.tfvars")
    assert ngp("configure", "dev", "--set", "openvpn.disk_gib=20")[0] == 0
    assert values.is_symlink()
    assert "disk_gib = 20" in shared.read_text()
    assert shared.stat().st_mode & 0o777 == 0o600


def test_configure_tells_each_new_wire_on_a_line_of_its_own(ngp):
    err = ngp("configure", "dev", "--module", "network", "--module", "swarm")[2]
    assert "  wired: swarm.vpc_id = network.vpc_id\n  wired: swarm.subnet_ids = network.subnet_ids\n" in err
