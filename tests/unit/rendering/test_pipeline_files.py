"""Pipeline files of a platform: the order of its environments, the branch, and what is written."""

import subprocess
from pathlib import PurePosixPath

import pytest

from ngp.environments import platforms
from ngp.errors import NgpError
from ngp.rendering import pipeline_files
from ngp.rendering.pipelines import PipelineSystem

TEXT = 'target: aws\naccount: "111122223333"\nregion: {}\ndomain: example.com\nunits: {{}}\n'
JENKINSFILE = PurePosixPath("Jenkinsfile")


@pytest.fixture
def home(platform):
    return platforms.load(platform)


def test_environments_are_in_the_order_of_promotion_with_the_protected_last(platform):
    for name in ("stage-eu", "lab", "test"):
        (platform / "environments" / name).mkdir()
        (platform / "environments" / name / "environment.yaml").write_text(TEXT.format("eu-west-1"))
    path = platform / "ngp.yaml"
    path.write_text(path.read_text().replace("protected: [prod]", "protected: [lab, prod]"))
    found = pipeline_files.environments(platforms.load(platform))
    assert [one.name for one in found] == ["dev", "test", "stage-eu", "lab", "prod"]
    assert [one.name for one in found if one.protected] == ["lab", "prod"]


def test_only_what_is_stale_is_written(home):
    found = pipeline_files.collect(home, PipelineSystem.JENKINS)
    assert (found.top, list(found.stale)) == (home.path, [JENKINSFILE])
    assert not (home.path / JENKINSFILE).exists()
    pipeline_files.write(found)
    assert (home.path / JENKINSFILE).read_text() == found.texts[JENKINSFILE]
    assert pipeline_files.collect(home, PipelineSystem.JENKINS).stale == []


def test_the_branch_is_the_one_that_is_named_or_that_of_the_remote_or_main(home):
    def branch(named=""):
        text = pipeline_files.collect(home, PipelineSystem.JENKINS, named).texts[JENKINSFILE]
        return next(line.split('"')[1] for line in text.splitlines() if line.strip().startswith("branch "))

    assert branch() == "main"
    assert branch("trunk") == "trunk"
    git = ["git", "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/release"]
    subprocess.run(git, cwd=home.path, check=True)
    assert branch() == "release"


def test_a_disk_that_refuses_is_an_error_with_the_file(home, mocker):
    found = pipeline_files.collect(home, PipelineSystem.JENKINS)
    mocker.patch("ngp.files.write_all", side_effect=OSError(28, "No space left on device", "Jenkinsfile"))
    with pytest.raises(NgpError, match="cannot write the pipelines") as caught:
        pipeline_files.write(found)
    assert caught.value.findings[0].where == "Jenkinsfile"
