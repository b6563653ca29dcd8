"""`scopes.choose`: which environment and units a line means, and what chose the environment."""

import pytest

from ngp.environments import platforms, scopes
from ngp.environments.scopes import Place, Scope
from ngp.errors import UsageError


@pytest.fixture
def home(platform):
    return platforms.load(platform)


def place(home, folder="", **environ):
    return Place(home.path / folder, environ)


def test_a_named_environment_needs_no_surroundings(home):
    found = scopes.choose(home, place(home, NGP_ENV="prod"), "dev", ["app"])
    assert found == Scope("dev", ("app",))
    assert found.is_named


@pytest.mark.parametrize(
    ("folder", "environ", "origin"),
    [
        ("environments/dev/units", {}, "of this folder"),
        ("", {"NGP_ENV": "dev"}, "NGP_ENV"),
        ("environments/dev", {"NGP_ENV": "dev"}, "of this folder"),
    ],
)
def test_the_surroundings_choose_and_the_words_select_units(home, folder, environ, origin):
    here = place(home, folder, **environ)
    assert scopes.choose(home, here, "app", ["base"]) == Scope("dev", ("app", "base"), origin)
    assert scopes.is_implied(home, here)


def test_the_only_environment_is_meant(home):
    (home.path / "environments/prod/environment.yaml").unlink()
    assert scopes.choose(home, place(home), "") == Scope("dev", (), "the only one")
    assert not scopes.is_implied(home, place(home))


@pytest.mark.parametrize(
    ("folder", "environ", "word", "what"),
    [
        ("", {}, "", "no environment given"),
        ("", {}, "dve", "the environment `dve` does not exist"),
        ("", {"NGP_ENV": "dve"}, "", "the environment `dve` does not exist"),
        ("environments/dev", {"NGP_ENV": "prod"}, "", "this folder belongs to `dev`, but NGP_ENV is `prod`"),
        ("environments/dev", {}, "apq", "the environment `apq` does not exist, and `dev` has no unit `apq`"),
    ],
)
def test_what_means_nothing_is_an_error(home, folder, environ, word, what):
    with pytest.raises(UsageError) as caught:
        scopes.choose(home, place(home, folder, **environ), word)
    assert caught.value.findings[0].what == what


def test_a_command_may_take_one_unit_or_none(home):
    assert scopes.one_unit(Scope("dev", ("app",)), "hint") == "app"
    assert scopes.only(Scope("dev")) == "dev"
    for wrong in (lambda: scopes.one_unit(Scope("dev", ("a", "b")), "hint"), lambda: scopes.only(Scope("dev", ("a",)))):
        with pytest.raises(UsageError):
            wrong()
    with pytest.raises(UsageError, match="only one unit can be given, not 2"):
        scopes.one_unit(Scope("dev", ("a", "b")), "hint")


def test_without_a_name_some_commands_take_all_environments(home):
    assert scopes.choose_any(home, "", ["app"]) == (["dev", "prod"], ("app",))
    assert scopes.choose_any(home, "app", ["base"]) == (["dev", "prod"], ("app", "base"))
    assert scopes.choose_any(home, "prod", None) == (["prod"], ())
    assert scopes.choose_any(home, "nowhere", None) == (["nowhere"], ())


def test_only_a_named_environment_is_destroyed_without_a_question():
    scopes.require_named(Scope("dev"), "ngp destroy dev --auto-approve")
    with pytest.raises(UsageError, match="needs the name of the environment") as caught:
        scopes.require_named(Scope("dev", origin="NGP_ENV"), "ngp destroy dev --auto-approve")
    assert caught.value.findings[0].todo == "ngp destroy dev --auto-approve"
    assert "ngp chose `dev` (NGP_ENV)" in caught.value.findings[0].why
