"""What looks like a secret in a file, and what does not. Every secret here is made up, and put together at run time."""

import base64
import hashlib
import subprocess

import pytest

from ngp.environments import references, secret_scan
from ngp.errors import MissingError


def digits(count, alphabet="abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"):
    """Text that looks random and is the same each time."""
    drawn = b"".join(hashlib.sha256(bytes([index])).digest() for index in range(8))
    return "".join(alphabet[each % len(alphabet)] for each in drawn[:count])


UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
SECRETS = {
    "an AWS access key": "AKIA" + digits(16, UPPER),
    "a GitHub token": "ghp_" + digits(36),
    "a GitLab token": "glpat-" + digits(20),
    "a Slack token": "xoxb-" + digits(24),
    "a Stripe key": "sk_live_" + digits(24),
    "an npm token": "npm_" + digits(36),
    "a PyPI token": "pypi-AgE" + digits(60),
    "a Vault token": "hvs." + digits(24),
    "a Google API key": "AIza" + digits(35),
    "an age identity": "AGE-SECRET-KEY-1" + digits(58, UPPER),
    "a JSON Web Token": f"eyJ{digits(20)}.eyJ{digits(20)}.{digits(30)}",
    "a private key": "-----BEGIN OPENSSH " + "PRIVATE KEY-----\n" + base64.b64encode(digits(40).encode()).decode(),
    "a password in an address": "postgres://app:" + digits(12) + "@db.internal/app",
}


def scan(tmp_path, text, name="terraform.tfvars"):
    path = tmp_path / name
    path.write_text(text)
    return secret_scan.scan(tmp_path, [path])


@pytest.mark.parametrize("what", SECRETS)
def test_a_secret_of_a_known_form_is_found_and_not_shown(tmp_path, what):
    (found,) = scan(tmp_path, f'# values\nx = {{ a = "{SECRETS[what]}" }}\n')
    assert (found.what, found.where) == (f"terraform.tfvars contains {what}", f"{tmp_path}/terraform.tfvars:2")
    assert SECRETS[what] not in f"{found}{found.todo}"


@pytest.mark.parametrize(
    "line",
    [
        f'master_password = "{digits(20)}"',
        f"api_token: {digits(32)}",
        f'"secret_access_key": "{digits(40)}"',
    ],
)
def test_a_random_value_at_a_name_that_says_secret_is_found(tmp_path, line):
    (found,) = scan(tmp_path, line + "\n")
    assert "random value" in found.what
    assert digits(20) not in str(found)


@pytest.mark.parametrize(
    "line",
    [
        'api_token = "env:BACKUP_API_TOKEN_OF_DEV2"',
        'api_token = "awssm:prod/backup/Token-4Xy#KEY1"',
        'master_password = "change-me-PLEASE-1234567"',
        'secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:Prod-AbC123"',
        "master_password = module.database.master_password_2",
        "token = data.aws_secretsmanager_secret.Token2.arn",
        'key_secret = "${var.prefix}-Token-9Xq2LmZ0"',
        'aws_access_key_id = "AKIAIOSFODNN7EXAMPLE"',
        "-----BEGIN PRIVATE KEY----- is the first line of a key",
        "https://user:${PASSWORD}@host.internal",
        'secret_name = "the-name-of-the-secret-of-this"',
        f'digest = "{digits(40)}"',
        'public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMhJ"',
    ],
)
def test_what_is_no_secret_is_passed_by(tmp_path, line):
    assert scan(tmp_path, line + "\n") == []


@pytest.mark.parametrize("text", ["{0} # ngp:allow-secret", "# made up. ngp:allow-secret\n{0}"])
def test_a_comment_allows_one_line(tmp_path, text):
    secret = f'x = "{SECRETS["a GitHub token"]}"'
    assert scan(tmp_path, text.format(secret) + "\n") == []
    assert len(scan(tmp_path, f"{text.format(secret)}\n\n{secret}\n")) == 1


def test_binary_big_missing_and_linked_files_are_passed_by(tmp_path):
    secret = SECRETS["a GitHub token"]
    (tmp_path / "binary").write_bytes(b"\0" + secret.encode())
    (tmp_path / "big").write_text(secret + " " * 2_000_000)
    (tmp_path / "link").symlink_to("/etc/hostname")
    assert secret_scan.scan(tmp_path, [tmp_path / name for name in ("binary", "big", "link", "gone")]) == []


def test_a_long_line_costs_no_time(tmp_path):
    assert scan(tmp_path, "password" * 60_000 + "=" + "a" * 500_000) == []


@pytest.fixture
def platform(house):
    """Where the fixture `ngp` works."""
    subprocess.run(["git", "init", "-q"], cwd=house.path, check=True)
    (house.path / ".gitignore").write_text(".ngp\nnotes\n")
    return house.path


def test_the_command_ends_with_1_and_names_the_file_of_a_folder_too(platform, ngp):
    assert ngp.call("secret", "scan").exit_code == 0
    secret = SECRETS["a GitHub token"]
    (platform / "environments/dev/more.tf").write_text(f'x = "{secret}"\n')
    (platform / "notes").write_text(secret)  # Git ignores it
    for words in ((), ("environments",), ("environments/dev/more.tf",)):
        done = ngp.call("secret", "scan", *words, "--json")
        assert (done.exit_code, [row["file"] for row in done.document["findings"]]) == (1, ["environments/dev/more.tf"])
        assert secret not in done.stdout + done.stderr
    assert ngp.call("secret", "scan", "modules").exit_code == 0
    assert ngp.call("secret", "scan", "nowhere").exit_code == 64


@pytest.mark.parametrize("value", ["abcdefghijklmnopqrstuvw", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa1", "12345678901234567890"])
def test_a_value_of_one_kind_or_little_variety_is_no_password(tmp_path, value):
    assert scan(tmp_path, f'master_password = "{value}"\n') == []


def test_a_linked_file_is_not_read_even_if_it_holds_a_secret(tmp_path):
    (tmp_path / "file").write_text(f'x = "{SECRETS["a GitHub token"]}"\n')
    (tmp_path / "link").symlink_to(tmp_path / "file")
    assert secret_scan.scan(tmp_path, [tmp_path / "link"]) == []


def test_files_cannot_be_listed_without_a_repository(tmp_path):
    with pytest.raises(MissingError, match="Git cannot list the files"):
        secret_scan.files(tmp_path)


def test_a_reference_is_found_however_deep():
    value = {"a": ["env:ONE", ("ssm:/two", {"b": "awssm:three#key"})], "c": "no reference", "d": 4}
    assert list(references.find(value)) == ["env:ONE", "ssm:/two", "awssm:three#key"]


def test_files_cannot_be_listed_without_git(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingError) as caught:
        secret_scan.files(tmp_path)
    assert caught.value.findings[0].why == "git is not on PATH"
