"""The door to boto3 takes what it is given, and nothing of this process's environment."""

import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import botocore.loaders
import pytest
from botocore.exceptions import UnknownServiceError

from ngp.aws import identity
from ngp.aws.identity import Role
from ngp.aws.mfa import Device
from ngp.aws.session import Session, preload
from ngp.errors import MissingError, RefusedError

BARE = {"AWS_REGION": "eu-central-1", "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull}
KEYS = BARE | {"AWS_ACCESS_KEY_ID": "AKIAFROMENV", "AWS_SECRET_ACCESS_KEY": "s"}


@pytest.fixture
def aws():
    """A server on loopback that says who called it: the key, and the action."""
    seen = []

    class Sts(BaseHTTPRequestHandler):
        def do_POST(self):  # noqa: N802
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            key = self.headers.get("Authorization", "").partition("Credential=")[2].partition("/")[0]
            seen.append((key, body))
            action = parse_qs(body)["Action"][0]
            xml = (
                f"<R><{action}Result><Credentials><AccessKeyId>AKIAROLE</AccessKeyId><SecretAccessKey>s"
                "</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>"
                f"</Credentials></{action}Result></R>"
                if "AssumeRole" in action
                else "<R><GetCallerIdentityResult><Account>210987654321</Account></GetCallerIdentityResult></R>"
            )
            self.send_response(200)
            self.end_headers()
            self.wfile.write(xml.encode())

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Sts)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}"}, seen
    server.shutdown()
    server.server_close()


@pytest.fixture
def hostile_shell(monkeypatch):
    """Whatever this process holds must not count."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIAOFTHESHELL",
        "AWS_SECRET_ACCESS_KEY": "real",
        "AWS_PROFILE": "production",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:9",
        "AWS_DEFAULT_REGION": "xx-nowhere-1",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("hostile_shell")
def test_only_the_given_environment_counts(aws):
    endpoint, seen = aws
    assert Session(KEYS | endpoint).account_id() == "210987654321"
    assert [key for key, _ in seen] == ["AKIAFROMENV"]


@pytest.mark.usefixtures("hostile_shell")
def test_without_credentials_says_how_to_get_them(aws):
    with pytest.raises(MissingError) as caught:
        Session(BARE | aws[0]).account_id()
    assert caught.value.exit_code == 69
    assert caught.value.findings[0].what == "no AWS credentials found"
    assert "AWS_PROFILE" in caught.value.findings[0].todo
    assert aws[1] == []


def test_profile_counts_before_keys_as_in_terraform(aws, tmp_path):
    config = tmp_path / "config"
    config.write_text("[profile shop]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = s\n")
    Session(KEYS | aws[0] | {"AWS_CONFIG_FILE": str(config)}, profile="shop").account_id()
    assert [key for key, _ in aws[1]] == ["AKIAPROFILE"]


def test_profile_of_the_environment_variable_is_found_in_its_file(aws, tmp_path):
    credentials = tmp_path / "credentials"
    credentials.write_text("[shop]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = s\n")
    env = BARE | aws[0] | {"AWS_PROFILE": "shop", "AWS_SHARED_CREDENTIALS_FILE": str(credentials)}
    Session(env).account_id()
    assert [key for key, _ in aws[1]] == ["AKIAPROFILE"]


def test_unknown_profile_is_named(aws):
    with pytest.raises(MissingError, match="nowhere"):
        Session(KEYS | aws[0], profile="nowhere").account_id()


def test_role_is_assumed_with_its_external_id_and_its_keys_are_used(aws):
    role = Role("arn:aws:iam::210987654321:role/ngp", external_id="shop-42", session_name="ci")
    Session(KEYS | aws[0], role=role).account_id()
    (first, asked), (second, _) = aws[1]
    assert (first, second) == ("AKIAFROMENV", "AKIAROLE")
    for part in ("RoleSessionName=ci", "ExternalId=shop-42", "role%2Fngp"):
        assert part in asked


def test_role_without_credentials_to_assume_it_is_a_missing_prerequisite(aws):
    with pytest.raises(MissingError, match="no AWS credentials"):
        Session(BARE | aws[0], role=Role("arn:aws:iam::1:role/ngp")).account_id()


def test_credentials_that_come_later_are_used_to_assume_the_role_and_for_nothing_else(aws, tmp_path):
    credentials = tmp_path / "credentials"
    env = BARE | aws[0] | {"AWS_SHARED_CREDENTIALS_FILE": str(credentials)}
    session = Session(env, role=Role("arn:aws:iam::1:role/ngp"))
    with pytest.raises(MissingError):
        session.account_id()
    credentials.write_text("[default]\naws_access_key_id = AKIALATE\naws_secret_access_key = s\n")
    session.account_id()
    assert [key for key, _ in aws[1]] == ["AKIALATE", "AKIAROLE"]


@pytest.mark.parametrize("profile", ["", "shop"])
def test_the_token_of_a_ci_is_the_given_environments(aws, tmp_path, monkeypatch, profile):
    (tmp_path / "given").write_text("token-given")
    (tmp_path / "shells").write_text("token-of-the-shell")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "shells"))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/of-the-shell")
    token, role = str(tmp_path / "given"), "arn:aws:iam::1:role/given"
    if profile:
        config = tmp_path / "config"
        config.write_text(f"[profile shop]\nweb_identity_token_file = {token}\nrole_arn = {role}\n")
        env = BARE | {"AWS_CONFIG_FILE": str(config)}
    else:
        env = BARE | {"AWS_WEB_IDENTITY_TOKEN_FILE": token, "AWS_ROLE_ARN": role}
    Session(env | aws[0], profile=profile).account_id()
    (_, asked), (key, _) = aws[1]
    assert key == "AKIAROLE"
    assert "WebIdentityToken=token-given" in asked
    assert "role%2Fgiven" in asked


def test_wrong_account_is_refused_with_both(aws):
    session = Session(KEYS | aws[0])
    session.require_account("210987654321")
    with pytest.raises(RefusedError) as caught:
        session.require_account("123456789012")
    assert caught.value.exit_code == 3
    assert "210987654321" in str(caught.value)
    assert "123456789012" in str(caught.value)


def test_session_is_shared_by_threads(aws):
    session = Session(KEYS | aws[0])
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: session.account_id(), range(24))) == {"210987654321"}


class Client:
    """Stands in for boto3's client: gives its answers in turn, and keeps what was asked."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def __getattr__(self, operation):
        def call(**parameters):
            self.asked.append((operation, parameters))
            return self.answers.pop(0)

        return call


def test_keys_come_from_every_page(mocker):
    client = Client(
        {"Contents": [{"Key": "a"}], "IsTruncated": True, "NextContinuationToken": "more"}, {"Contents": [{"Key": "b"}]}
    )
    mocker.patch.object(Session, "_client", return_value=client)
    assert Session(KEYS).keys("bucket", "p/") == ["a", "b"]
    assert client.asked[1][1]["ContinuationToken"] == "more"


def test_hosted_zone_is_the_public_one_of_exactly_that_name(mocker):
    zones = [
        {"Id": "/hostedzone/Z1", "Name": "demo.example.", "Config": {"PrivateZone": True}},
        {"Id": "/hostedzone/Z2", "Name": "demo.example.", "Config": {"PrivateZone": False}},
        {"Id": "/hostedzone/Z3", "Name": "x.demo.example.", "Config": {"PrivateZone": False}},
    ]
    mocker.patch.object(Session, "_client", return_value=Client({"HostedZones": zones}, {"HostedZones": zones[2:]}))
    session = Session(KEYS)
    assert session.hosted_zone("Demo.Example") == "Z2"
    assert session.hosted_zone("demo.example") is None


def test_role_that_needs_a_code_asks_once_and_keeps_what_it_got(aws, tmp_path):
    reach, seen = aws
    (tmp_path / "config").write_text(
        "[profile shop]\nrole_arn = arn:aws:iam::210987654321:role/ops\nsource_profile = base\n"
        "mfa_serial = arn:aws:iam::210987654321:mfa/me\n"
        "[profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = s\n"
    )
    env = BARE | reach | {"AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    asked = []
    device = Device(lambda question: asked.append(question) or "123456", tmp_path / "cache")
    for _ in range(2):
        assert Session(env, profile="shop", device=device).account_id() == "210987654321"
    assert len(asked) == 1
    assert [key for key, _ in seen] == ["AKIABASE", "AKIAROLE", "AKIAROLE"]
    assert "TokenCode=123456" in seen[0][1]
    (kept,) = (tmp_path / "cache").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600


def test_what_is_preloaded_need_not_be_read_again(mocker, tmp_path, monkeypatch):
    asked = mocker.spy(botocore.loaders.JSONFileLoader, "load_file")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_PROFILE", "nobodys")  # what this process says is not read
    preload()
    asked.reset_mock()
    for operation in ("put_object", "get_caller_identity"):
        service = "s3" if operation == "put_object" else "sts"
        assert hasattr(Session(KEYS)._client(service), operation)
    assert asked.call_count == 0


def test_models_of_its_own_are_found_where_the_environment_says(tmp_path):
    folder = tmp_path / "toy" / "2020-01-01"
    folder.mkdir(parents=True)
    metadata = {"apiVersion": "2020-01-01", "endpointPrefix": "toy", "protocol": "json", "serviceId": "Toy"}
    model = {"metadata": metadata, "operations": {}, "shapes": {}}
    (folder / "service-2.json").write_text(json.dumps(model))
    preload()
    with pytest.raises(UnknownServiceError):
        Session(KEYS)._client("toy")
    assert Session(KEYS | {"AWS_DATA_PATH": str(tmp_path), "AWS_ENDPOINT_URL": "http://127.0.0.1:9"})._client("toy")


def test_models_in_a_home_are_those_of_that_home(tmp_path, monkeypatch):
    folder = tmp_path / ".aws" / "models" / "toy" / "2020-01-01"
    folder.mkdir(parents=True)
    metadata = {"apiVersion": "2020-01-01", "endpointPrefix": "toy", "protocol": "json", "serviceId": "Toy"}
    (folder / "service-2.json").write_text(json.dumps({"metadata": metadata, "operations": {}, "shapes": {}}))
    preload()
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Session(KEYS | {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"})._client("toy")
    monkeypatch.setenv("HOME", str(tmp_path / "other"))
    with pytest.raises(UnknownServiceError):
        Session(KEYS)._client("toy")


def test_sessions_add_no_folder_to_the_models_that_they_share():
    for _ in range(3):
        Session(KEYS)._client("sts")
    paths = identity._published_models().search_paths
    assert len(paths) == len(set(paths))
