"""A survey of orphans: what one environment has, and what a whole platform has although parts cannot be reached."""

from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from ngp.environments import platforms
from ngp.environments.environment import StateKind, Target
from ngp.errors import Finding, MissingError, UsageError
from ngp.runs import abandoned, duplicate_states, orphan_survey, orphans
from ngp.runs.abandoned import Survey
from ngp.runs.results import Orphan
from ngp.sandbox.server import SilentError

GONE = Orphan("gone", "s3://bucket/gone.tfstate", 3, environment="dev")
OLD = Orphan("", "s3://bucket/old/", 1, environment="old", states=1)


@pytest.fixture
def home(platform, mocker):
    """A platform with two environments on real accounts, whose regions hold one orphan in dev."""
    (platform / "environments" / "prod").mkdir(exist_ok=True)
    for name in ("dev", "prod"):
        text = 'target: aws\naccount: "111122223333"\nregion: eu-west-1\ndomain: example.com\nunits: {}\n'
        (platform / "environments" / name / "environment.yaml").write_text(text)
    text = (platform / "ngp.yaml").read_text()
    (platform / "ngp.yaml").write_text(text.replace("state: local", "state: s3"))
    mocker.patch.object(orphans, "collect", lambda resolved, _: [GONE] if resolved == "dev" else [])
    mocker.patch.object(
        duplicate_states, "collect", lambda resolved, _, known: [Finding(f"shared {resolved} {len(known)}")]
    )
    mocker.patch.object(abandoned, "survey", return_value=Survey((OLD,), {}))
    return platforms.load(platform)


@contextmanager
def reached(name):
    yield name, None


def test_one_environment_is_looked_at_alone(home):
    found = orphan_survey.of_environment("dev", reached)
    assert found.orphans == [GONE]
    assert found.unreached == {}
    assert not found.is_empty


def test_a_platform_has_the_orphans_of_all_and_those_of_environments_that_are_gone(home):
    found = orphan_survey.of_platform(home, reached, pytest.fail)
    assert found.orphans == [GONE, OLD]
    assert [one.what for one in found.shared] == ["shared dev 0", "shared prod 1"]  # the second knows of the first


def test_what_cannot_be_reached_is_named_once_and_stops_nothing(home, mocker):
    why = MissingError("no credentials")
    unreached = {"s3://bucket": str(why), "s3://other": "closed"}
    mocker.patch.object(abandoned, "survey", return_value=Survey((), unreached))

    @contextmanager
    def dev_only(name):
        if name == "prod":
            raise why
        yield name, None

    found = orphan_survey.of_platform(home, dev_only, pytest.fail)
    assert found.orphans == [GONE]
    assert found.unreached == {"prod": "no credentials", "s3://other": "closed"}


def test_many_findings_of_an_environment_are_counted(home):
    @contextmanager
    def broken(name):
        raise UsageError([Finding("one"), Finding("two"), Finding("three")])
        yield

    found = orphan_survey.of_platform(home, broken, pytest.fail)
    assert found.unreached["dev"] == "one (and 2 more: ngp validate dev)"


def test_a_sandbox_that_does_not_run_has_no_states(home):
    path = home.path / "environments" / "dev" / "environment.yaml"
    path.write_text(path.read_text().replace("target: aws", "target: sandbox"))
    found = orphan_survey.of_platform(home, reached, pytest.fail)
    assert [one.what for one in found.shared] == ["shared prod 0"]


def found_beside(kind, target, error=None):
    """What a command that needs no AWS shows and says."""
    said = []

    def reach():
        if error:
            raise error
        return "the session"

    place = SimpleNamespace(name="dev", target=target)
    resolved = SimpleNamespace(platform=SimpleNamespace(state=kind), environment=place)
    return orphan_survey.at_hand(resolved, reach, said.append), said


def test_a_command_that_needs_no_aws_shows_the_orphans_that_it_reaches(mocker):
    beside = mocker.patch.object(abandoned, "beside", return_value=(GONE,))
    assert found_beside(StateKind.S3, Target.AWS) == ((GONE,), [])
    assert beside.call_args.args[1] == "the session"
    assert found_beside(StateKind.LOCAL, Target.AWS, MissingError("never asked")) == ((GONE,), [])
    closed = MissingError("no credentials")
    shown, [said] = found_beside(StateKind.S3, Target.AWS, closed)
    assert (shown, said) == ((), f"cannot reach an account, so removed units are missing here: {closed}")
    assert found_beside(StateKind.S3, Target.SANDBOX, closed) == ((), [])  # it has no states
    silent = SilentError("the sandbox does not answer")
    shown, [said] = found_beside(StateKind.S3, Target.SANDBOX, silent)
    assert (shown, said) == ((), f"removed units are missing here: {silent}")
    beside.side_effect = closed
    shown, [said] = found_beside(StateKind.S3, Target.AWS)
    assert (shown, said) == ((), f"cannot list the states of dev, so removed units are missing here: {closed}")
