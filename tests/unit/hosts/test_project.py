"""A folder's project, profile and packages by Moltar's rules."""

from types import SimpleNamespace

import pytest

from ngp.aws.mfa import Device
from ngp.errors import MissingError, RefusedError, UsageError
from ngp.hosts import project
from ngp.hosts.project import Profile, Project

KEYS = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s"}


@pytest.fixture
def folder(tmp_path):
    """Two folders deep, so that what lies above is found too."""
    made = tmp_path / "shop" / "web"
    made.mkdir(parents=True)
    return made


@pytest.fixture
def home(tmp_path):
    (tmp_path / "home" / ".aws").mkdir(parents=True)
    return tmp_path / "home"


def test_flag_counts_before_variable_and_file(folder):
    (folder / ".project-name").write_text("of-the-file")
    assert project.find(folder, {"AWS_DEFAULT_PROFILE": "of-the-shell"}, "said").name == "said"
    assert project.find(folder, {"AWS_DEFAULT_PROFILE": "of-the-shell"}).name == "of-the-shell"
    assert project.find(folder, {}).name == "of-the-file"


def test_each_file_name_is_searched_to_the_root_before_the_next(folder):
    (folder / ".mxm-project").write_text("near")
    (folder.parent / ".moltar-project").write_text("above\n")
    assert project.find(folder, {}) == Project("above", str(folder.parent / ".moltar-project"))


def test_empty_file_names_nothing(folder):
    (folder / ".project-name").write_text(" \n")
    (folder.parent / ".project-name").write_text("Big Shop\n")
    assert project.find(folder, {}).name == "Big Shop"


def test_folder_of_no_project_is_an_error_with_the_ways_out(folder):
    with pytest.raises(UsageError, match="project name not found") as raised:
        project.find(folder, {})
    assert "--project" in raised.value.findings[0].todo


def test_file_that_is_no_text_is_an_error_of_its_own(folder):
    (folder / ".project-name").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="cannot read"):
        project.find(folder, {})


@pytest.mark.parametrize(
    ("text", "found"),
    [("shop", ("shop",)), ("shop, shop-worker\napi_gw;shop", ("shop", "shop-worker", "api_gw")), ("|a|b|", ("a", "b"))],
)
def test_packages_are_the_words_of_the_first_file(folder, text, found):
    (folder / ".moltar-packages").write_text("later")
    (folder.parent / ".package-name").write_text(text)
    assert project.packages(folder) == found
    assert project.packages(folder, ["said"]) == ("said",)


def test_no_file_means_no_packages(folder):
    assert project.packages(folder) == ()


def test_a_name_with_blanks_is_tried_in_three_spellings():
    assert project.profile_names("Big Shop") == ("Big Shop", "big_shop", "big-shop")
    assert project.profile_names("shop") == ("shop",)


@pytest.mark.parametrize("section", ["Big Shop", "big_shop", "big-shop"])
def test_profile_is_found_in_the_credentials(home, section):
    (home / ".aws" / "credentials").write_text(f"[{section}]\naws_access_key_id = AKIA\nregion = eu-north-1\n")
    assert project.find_profile("Big Shop", {}, home) == Profile(section, "eu-north-1")


def test_profile_of_the_config_has_a_prefix(home):
    (home / ".aws" / "config").write_text("[shop]\nregion = us-east-1\n[profile shop]\nrole_arn = arn\n")
    assert project.find_profile("shop", {}, home) == Profile("shop", "eu-west-1")


def test_region_may_be_that_of_the_source_profile(home):
    text = "[profile shop]\nrole_arn = arn\nsource_profile = base\n[profile base]\nregion = eu-south-1\n"
    (home / ".aws" / "config").write_text(text)
    assert project.find_profile("shop", {}, home).region == "eu-south-1"
    assert project.find_profile("shop", {"AWS_REGION": "eu-west-3"}, home).region == "eu-west-3"


def test_sections_without_prefix_count_in_a_config_file_of_the_shell(home, tmp_path):
    (tmp_path / "keys").write_text("[shop]\naws_access_key_id = AKIA%(x)s\n")
    found = project.find_profile("shop", {"AWS_CONFIG_FILE": str(tmp_path / "keys")}, home)
    assert found == Profile("shop", "eu-west-1", str(tmp_path / "keys"))


def test_keys_of_the_shell_count_once_they_have_a_region(home):
    (home / ".aws" / "credentials").write_text("[shop]\naws_access_key_id = AKIA\n")
    assert project.find_profile("shop", KEYS | {"AWS_REGION": "eu-west-2"}, home) == Profile("", "eu-west-2")
    assert project.find_profile("shop", KEYS, home).name == "shop"


def test_project_without_profile_is_a_missing_prerequisite(home):
    with pytest.raises(MissingError, match="cannot find an AWS profile") as raised:
        project.find_profile("Big Shop", {}, home)
    assert "big_shop or big-shop" in raised.value.findings[0].why


def test_credentials_of_a_machine_need_no_profile(home):
    environ = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1/keys"}
    assert project.find_profile("shop", environ, home) == Profile("", "eu-west-1")


def test_session_is_of_the_profile_and_never_of_an_endpoint(home):
    (home / ".aws" / "credentials").write_text("[shop]\naws_access_key_id = AKIA\naws_secret_access_key = s\n")
    settings = SimpleNamespace(environ={}, home=home)
    session = project.open_session(Project("shop", ""), settings, input)
    assert (session.profile, session.region) == ("shop", "eu-west-1")
    settings = SimpleNamespace(environ={"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, home=home)
    with pytest.raises(RefusedError):
        project.open_session(Project("shop", ""), settings, input)


def test_code_is_asked_for_until_it_has_six_digits(tmp_path):
    answers = iter(["", "12345", "abcdef", " 123456 "])
    asked = []
    device = Device(lambda question: asked.append(question) or next(answers), tmp_path)
    assert device.code("Code: ") == "123456"
    assert asked[:2] == ["Code: ", "A code has six digits. Code: "]
    assert len(asked) == 4


def test_asking_for_a_code_has_an_end(tmp_path):
    with pytest.raises(MissingError, match="code of the MFA device is missing"):
        Device(lambda _: "", tmp_path).code("Code: ")
