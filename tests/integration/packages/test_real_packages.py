"""`ngp package` and `ngp moltar` on machines with a real sshd, with packages of a real apt repository."""

from tests.integration.packages import machines
from tests.integration.packages.machines import WEB


def test_a_day_of_deploys(lab):
    """One test, for each deploy takes apt some seconds: newest, rollback, by Moltar's line, a failure, a lock."""
    (lab.folder / ".ngp-after-deploy").write_text('#!/bin/sh\necho "$ENV" >>after\n')
    (lab.folder / ".moltar-failed-deploy").write_text('#!/bin/sh\necho "$FAILED_HOSTS" >>failed\n')
    for name in (".ngp-after-deploy", ".moltar-failed-deploy"):
        (lab.folder / name).chmod(0o755)

    done = lab.run("package", "deploy", "lab/web", "shop", "--batch", "1")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.splitlines() == ["web-1: done", "web-2: done"]
    assert "install (batch 2 of 2, 1 host)" in done.stderr
    assert lab.look("web-2", "cat /opt/shop/version") == "1.1-1"

    (lab.folder / ".package-name").write_text("shop\n")
    done = lab.run("moltar", "-version=1.0-1", "lab", "deploy")
    assert done.exit_code == 0, done.stderr
    assert "ngp package deploy lab shop --version 1.0-1" in done.stderr
    assert [lab.look(name, "cat /opt/shop/version") for name in ("web-1", "web-2")] == ["1.0-1", "1.0-1"]
    assert (lab.folder / "after").read_text() == "lab\nlab\n"

    lab.look("web-2", "touch /srv/refuses")
    done = lab.run("package", "deploy", "lab", "--json")
    assert done.exit_code == 1
    assert [(one["host"], one["result"], one["step"]) for one in done.document["hosts"]] == [
        ("web-2", "failed", "install"),
        ("web-1", "unfinished", ""),
    ]
    assert (lab.folder / "failed").read_text() == "web-2\n"
    assert (lab.folder / "after").read_text() == "lab\nlab\n"

    lab.look("web-1", "printf 'd0\\tben@ci\\tdeploy\\t2026-01-01T00:00:00Z\\n' >/var/lib/ngp/deploy.lock")
    done = lab.run("package", "install", "lab", "shop")
    assert done.exit_code == 5
    assert "ben@ci has been deploying here since 2026-01-01T00:00:00Z" in done.stderr
    assert "--accept-lock d0" in done.stderr
    assert lab.look("web-2", "ls /var/lib/ngp").split() == ["deploy.guard", "deploys.tsv"]

    found = {one["host"]: one for one in lab.run("package", "versions", "lab", "--json").document["versions"]}
    assert found["web-1"]["installed"] == found["web-1"]["deployed"]["version"] == "1.1-1"
    assert found["web-2"]["deployed"]["version"] == "1.0-1"
    assert found["web-2"]["installed"] == ""  # half installed: its script failed
    lines = lab.run("package", "versions", "lab/web", "shop").stdout.splitlines()
    assert lines[0].split() == ["HOST", "PACKAGE", "INSTALLED", "DEPLOYED", "BY", "AT"]
    assert "(changed since)" in lines[2]

    lab.look("web-2", "rm /srv/refuses")
    assert lab.run("package", "install", "lab", "shop", "--accept-lock", "d0").exit_code == 0
    assert [lab.look(name, "ls /var/lib/ngp").split() for name in WEB] == [["deploy.guard", "deploys.tsv"]] * 2


def test_what_would_be_done_is_shown_first(lab):
    done = lab.run("package", "deploy", "lab", "shop", "--dry-run")
    assert (done.exit_code, done.stderr) == (0, "dry run: deploy shop to web-1, web-2\n")
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["name", "web-1", "web-2"]


def test_wrong_words_reach_no_host(lab):
    for words in (["shop;id"], ["shop", "--version", "$(id)"], ["shop", "--batch", "0"], ["other"]):
        assert lab.run("package", "deploy", "lab", *words).exit_code == 64
    assert lab.run("package", "deploy", "lab").exit_code == 64
    assert lab.run("moltar", "lab").exit_code == 64


def test_folder_without_ngp_yaml_is_enough(lab):
    (lab.folder / "ngp.yaml").unlink()
    assert lab.run("package", "versions", "lab").exit_code == 64
    (lab.folder / ".project-name").write_text("shop\n")
    done = lab.run("moltar", "lab", "install", "absent")
    assert done.exit_code == 1
    assert "web-1: there is no package absent" in done.stderr
    assert "web-1: failed at install: exit code 100" in done.stdout


def test_host_key_that_changed_is_refused_before_anything_is_done(lab):
    path = lab.folder / "hosts.yaml"
    path.write_text(path.read_text().replace(lab.real.host_key, machines.new_key(lab.home / "other"), 1))
    done = lab.run("package", "install", "lab", "shop")
    assert done.exit_code == 1
    assert "cannot lock this host, so nothing was deployed to any host\n  where: web-1\n" in done.stderr
    assert "its host key has changed" in done.stderr


def test_lines_of_moltar_reach_the_hosts(lab):
    done = lab.run("moltar", "lab", "ls")
    assert [line.split()[0] for line in done.stdout.splitlines()[-2:]] == ["web-1", "web-2"], done
    done = lab.run("moltar", "-s", "lab/web", "exec", "echo", "-n", "--json;", "echo", "$0")
    assert done.exit_code == 0, done
    assert "ngp host exec lab/web --serial -- echo -n '--json;' echo '$0'" in done.stderr
    assert lab.run("moltar", "lab", "exec", "false").exit_code == 1
    assert lab.run("moltar", "lab", "hostname", "web-2").stdout == "127.0.15.2\n"
    done = lab.run("moltar", "lab", "ssh", "web-1", "-i", f"{lab.real.folder}/own", "cat", "/srv/apt/Release")
    assert "SHA256:" in done.stdout, done
    assert lab.run("moltar", "lab", "ssh", "web").exit_code == 64  # two hosts
    (lab.folder / "app.conf").write_text("key = value\n")
    done = lab.run("moltar", "lab/web", "scp", "app.conf", ":/etc/")
    assert done.exit_code == 0, done
    assert [lab.look(name, "cat /etc/app.conf") for name in WEB] == ["key = value"] * 2
