"""The app that logs agents of DC/OS in to ECR, beside a Docker that answers with a password."""

import base64
import json
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.proves("scripts", "ecr")
SCRIPT = Path(__file__).parents[3] / "modules/ecr/files/login.sh"
HOST = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"


@pytest.fixture
def app(tmp_path):
    """Runs the app until it would wait for the next login."""
    for name, text in {
        "docker": f'echo "$*" >>{tmp_path}/calls; [ -z "$FAILS" ] && echo s3cret',
        "sleep": "exit 3",
    }.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    env = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "ARCHIVE": str(tmp_path / "shared/docker.tar.gz"),
        "AWS_CLI_IMAGE": "aws:1",
        "ECR_HOST": HOST,
        "FAILS": "",
        "INTERVAL_S": "21600",
        "REGION": "eu-central-1",
    }
    (tmp_path / "shared").mkdir()

    def run(**more):
        argv = ["sh", "-c", SCRIPT.read_text()]
        return subprocess.run(argv, env={**env, **more}, capture_output=True, text=True, timeout=60, check=False)

    return run


def test_archive_is_what_docker_logs_in_by(app, tmp_path):
    got = app()
    assert got.returncode == 3  # it waits
    with tarfile.open(tmp_path / "shared/docker.tar.gz") as archive:
        settings = json.load(archive.extractfile(".docker/config.json"))
    assert base64.b64decode(settings["auths"][HOST]["auth"]) == b"AWS:s3cret"
    assert (tmp_path / "shared/docker.tar.gz").stat().st_mode & 0o777 == 0o600
    assert [each.name for each in (tmp_path / "shared").iterdir()] == ["docker.tar.gz"]
    assert (
        tmp_path / "calls"
    ).read_text() == "run --rm --net host aws:1 ecr get-login-password --region eu-central-1\n"
    assert "s3cret" not in got.stdout + got.stderr


def test_login_that_fails_ends_the_app_and_leaves_the_archive(app, tmp_path):
    (tmp_path / "shared/docker.tar.gz").write_text("before")
    assert app(FAILS="yes").returncode not in (0, 3)
    assert (tmp_path / "shared/docker.tar.gz").read_text() == "before"
    assert [each.name for each in (tmp_path / "shared").iterdir()] == ["docker.tar.gz"]
