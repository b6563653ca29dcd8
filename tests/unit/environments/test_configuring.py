"""`configuring.configure` and `new_environment.create`: their questions, and when nothing is written."""

import subprocess

import pytest

from ngp.environments import configuring, new_environment
from ngp.environments.configuring import ConfigureRequest
from ngp.environments.drafts import Choice
from ngp.environments.environment import Target
from ngp.environments.new_environment import NewEnvironmentRequest
from ngp.errors import LockHeldError, UsageError
from ngp.files import lock

VALUES = 'pre_tag = "demo"\npost_tag = "one"\nopenvpn = {\n  admin_cidrs = []\n}\n'


class Person:
    """Gives the answers that a test hands it, and keeps what was asked."""

    def __init__(self, *answers):
        self.answers, self.asked = [*answers], []

    def _next(self, what):
        self.asked.append(what)
        return self.answers.pop(0)

    def version(self, newest, present, check):
        given = self._next(("version", newest, present))
        return self.version(newest, present, check) if check(given) else given

    def choose(self, subject, chosen=None):
        return self._next(("choose", dict(chosen or {})))

    def answer(self, questions, choice):
        given = self._next([one.name for one in questions])
        return choice if given == "as it is" else given

    def target(self, usual):
        return self._next(("target", usual))

    def fact(self, key, source):
        return self._next((key, source.name if source else ""))


def files_of(house):
    return {path.name: path.read_bytes() for path in (house.path / "environments" / "dev").iterdir() if path.is_file()}


def test_flags_decide_and_nobody_is_asked(house):
    house.environment(values=VALUES)
    request = ConfigureRequest(values=["post_tag=two"])
    before = files_of(house)
    done = configuring.configure(house.platform, "dev", request, Person(), write=False)
    assert [path.name for path in done.changed] == ["terraform.tfvars"]
    assert files_of(house) == before
    configuring.configure(house.platform, "dev", request, None, write=True)
    assert 'post_tag = "two"' in house.read("terraform.tfvars")


def test_what_nobody_answers_is_an_error_and_nothing_is_written(house):
    house.environment(values='pre_tag = "demo"\n')
    before = files_of(house)
    with pytest.raises(UsageError, match="`post_tag` has no value"):
        configuring.configure(house.platform, "dev", ConfigureRequest(), None, write=True)
    assert files_of(house) == before


def test_going_back_offers_the_modules_that_were_chosen(house):
    house.environment(values='pre_tag = "demo"\n')
    chosen = {"network": "network"}
    person = Person(chosen, None, chosen, None, chosen, "as it is")
    with pytest.raises(IndexError):  # it goes on asking until every question has an answer
        configuring.configure(house.platform, "dev", ConfigureRequest(), person, write=True)
    assert person.asked[0] == ("choose", {})
    assert person.asked[2] == person.asked[4] == ("choose", chosen)


def test_an_answer_is_asked_for_once_and_the_modules_too(house):
    house.environment(values='pre_tag = "demo"\n')
    chosen = {"network": "network"}
    person = Person(chosen, Choice(units=chosen, settings={("post_tag",): "two"}))
    configuring.configure(house.platform, "dev", ConfigureRequest(), person, write=True)
    assert person.asked == [("choose", {}), ["post_tag"]]
    assert 'post_tag = "two"' in house.read("terraform.tfvars")


def test_a_version_is_asked_for_where_git_has_tags_and_no_flag_decides(house):
    house.environment(values=VALUES)
    who = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "one"], ["tag", "v1.0.0"]):
        subprocess.run(["git", *who, *words], cwd=house.path, check=True)
    units = {"network": "network", "openvpn": "openvpn"}
    person = Person("v2", "v1.0.0", units)  # v2 is no commit
    configuring.configure(house.platform, "dev", ConfigureRequest(), person, write=True)
    assert person.asked[:2] == [("version", "v1.0.0", "")] * 2
    assert "catalogue: " in house.read("environment.yaml")
    configuring.configure(house.platform, "dev", ConfigureRequest(catalogue=""), Person(units), write=True)
    assert "catalogue: " not in house.read("environment.yaml")


def test_a_run_of_the_environment_keeps_its_files(house):
    house.environment(values=VALUES)
    with lock(house.platform.workspace.lock("dev"), purpose="a run"), pytest.raises(LockHeldError):
        configuring.configure(house.platform, "dev", ConfigureRequest(values=["post_tag=two"]), None, write=True)
    with pytest.raises(UsageError, match="nowhere"):
        configuring.configure(house.platform, "nowhere", ConfigureRequest(), None, write=True)
    assert not house.platform.workspace.lock("nowhere").exists()


def test_only_what_no_flag_says_of_a_new_environment_is_asked(house):
    person = Person(Target.SANDBOX, "eu-west-1", "lab.example.com")
    made = new_environment.create(house.platform, NewEnvironmentRequest("lab"), person)
    assert person.asked == [("target", Target.AWS), ("region", ""), ("domain", "")]  # a sandbox has its account
    assert made.name == "lab"
    assert 'account: "123456789012"' in house.read("environment.yaml", "lab")


def test_the_target_of_the_source_is_the_usual_one(house):
    person = Person(Target.SANDBOX, "eu-west-1", "lab.example.com")
    new_environment.create(house.platform, NewEnvironmentRequest("lab", source="dev"), person)
    assert person.asked[0] == ("target", Target.SANDBOX)
    assert person.asked[1:] == [("region", "dev"), ("domain", "dev")]


def test_a_target_that_a_flag_names_is_not_asked_for(house):
    person = Person("eu-west-1", "lab.example.com")
    new_environment.create(house.platform, NewEnvironmentRequest("lab", target=Target.SANDBOX), person)
    assert person.asked == [("region", ""), ("domain", "")]


def test_each_missing_fact_is_named_where_nobody_is_asked(house):
    with pytest.raises(UsageError) as caught:
        new_environment.create(
            house.platform, NewEnvironmentRequest("lab", region="eu-west-1", target=Target.AWS), None
        )
    assert [one.what for one in caught.value.findings] == [
        "the new environment needs --account",
        "the new environment needs --domain",
    ]
    assert not (house.path / "environments" / "lab").exists()
