"""Provider mirrors: where they are looked for, in which order, and what is said of one that will not do."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest

from ngp.errors import MissingError
from ngp.terraform import lockfile, mirror, renewal
from ngp.terraform.binary import Binary
from ngp.terraform.lockfile import Locked
from ngp.terraform.mirror import Mirror, Places

PLATFORM = "linux_amd64"
TINY = "registry.terraform.io/example/tiny"
LOCK = (Locked(TINY, "1.2.3"),)
TOFU = Binary(("tofu",), "1.12.6", "tofu", platform=PLATFORM)


def unpacked(folder: Path, version: str = "1.2.3", *, platform: str = PLATFORM, address: str = TINY) -> Path:
    package = folder / address / version / platform
    package.mkdir(parents=True)
    (package / f"terraform-provider-tiny_v{version}").write_text("x")
    return folder


def packed(folder: Path, version: str = "1.2.3", *, platform: str = PLATFORM) -> Path:
    (folder / TINY).mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / TINY / f"terraform-provider-tiny_{version}_{platform}.zip", "w") as archive:
        archive.writestr(f"terraform-provider-tiny_v{version}", "x")
    return folder


@pytest.fixture
def places(tmp_path) -> Places:
    (tmp_path / "home").mkdir()
    (tmp_path / "add-ons").mkdir()
    environ = {"XDG_DATA_HOME": str(tmp_path / "data"), "XDG_DATA_DIRS": f"{tmp_path / 'shared'}:{tmp_path / 'more'}"}
    return Places(environ, tmp_path / "home", tmp_path / "cache", tmp_path / "add-ons")


def having(places: Places, **environ: object) -> Places:
    told = {name: str(value) for name, value in environ.items()}
    return Places({**places.environ, **told}, places.home, places.cache, places.add_on_root)


def folder_of(found: Mirror | None) -> Path | None:
    assert found is not None
    return found.folder


def test_without_any_there_is_none(places):
    assert mirror.find(LOCK, PLATFORM, places) is None


def test_default_root_is_that_of_the_hierarchy_standard(places):
    assert Places({}, places.home, places.cache).add_on_root == Path("/opt")


@pytest.mark.parametrize("make", [unpacked, packed])
def test_mirror_below_the_add_on_root_is_found_in_both_layouts(places, make):
    folder = make(places.add_on_root / "anything")
    assert folder_of(mirror.find(LOCK, PLATFORM, places)) == folder


def test_mirror_two_levels_below_the_add_on_root_is_not_looked_for(places):
    unpacked(places.add_on_root / "a" / "b")
    assert mirror.find(LOCK, PLATFORM, places) is None


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has folders of its own")
@pytest.mark.parametrize(
    "folder",
    ["home/.terraform.d/plugins", "data/terraform/plugins", "shared/terraform/plugins", "more/terraform/plugins"],
)
def test_implied_mirror_directories_are_found_before_the_add_ons(places, tmp_path, folder):
    unpacked(places.add_on_root / "a")
    implied = unpacked(tmp_path / folder)
    assert folder_of(mirror.find(LOCK, PLATFORM, places)) == implied


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has folders of its own")
def test_data_folder_is_below_home_where_nothing_is_said(tmp_path):
    implied = unpacked(tmp_path / ".local/share/terraform/plugins")
    places = Places({}, tmp_path, tmp_path / "cache", tmp_path)
    assert folder_of(mirror.find(LOCK, PLATFORM, places)) == implied


def test_macos_has_its_own_implied_directory(places, monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    implied = unpacked(places.home / "Library/Application Support/io.terraform/plugins")
    assert folder_of(mirror.find(LOCK, PLATFORM, places)) == implied


def test_setting_comes_before_all_other_mirrors(places, tmp_path):
    unpacked(places.home / ".terraform.d/plugins")
    named = unpacked(tmp_path / "named")
    assert mirror.find(LOCK, PLATFORM, having(places, NGP_PROVIDER_MIRROR=named)) == Mirror(
        named, "NGP_PROVIDER_MIRROR"
    )


def test_what_ngp_fetched_comes_last(places):
    own = unpacked(places.cache / "providers")
    assert folder_of(mirror.find(LOCK, PLATFORM, places)) == own
    other = unpacked(places.add_on_root / "a")
    assert folder_of(mirror.find(LOCK, PLATFORM, places)) == other


@pytest.mark.parametrize("text", ["provider_installation {\n}\n", '  plugin_cache_dir = "/x"\n'])
def test_own_configuration_that_installs_providers_leaves_terraform_alone(places, tmp_path, text):
    unpacked(places.add_on_root / "a")
    path = tmp_path / "terraformrc"
    path.write_text(text)
    found = mirror.find(LOCK, PLATFORM, having(places, TF_CLI_CONFIG_FILE=path, NGP_PROVIDER_MIRROR=tmp_path))
    assert found is not None
    assert found.folder is None
    assert str(path) in found.origin
    (places.home / ".terraformrc").write_text(text)
    assert folder_of(mirror.find(LOCK, PLATFORM, places)) is None


def test_own_configuration_that_says_nothing_of_providers_does_not_count(places):
    (places.home / ".terraformrc").write_text("# provider_installation {}\ndisable_checkpoint = true\n")
    folder = unpacked(places.add_on_root / "a")
    assert folder_of(mirror.find(LOCK, PLATFORM, places)) == folder


def test_configuration_file_that_is_not_there_does_not_count(places, tmp_path):
    folder = unpacked(places.add_on_root / "a")
    assert folder_of(mirror.find(LOCK, PLATFORM, having(places, TF_CLI_CONFIG_FILE=tmp_path / "none"))) == folder


def test_named_configuration_is_read_instead_of_the_one_at_home(places, tmp_path):
    (places.home / ".terraformrc").write_text("provider_installation {}\n")
    named = tmp_path / "rc"
    named.touch()
    folder = unpacked(places.add_on_root / "a")
    assert folder_of(mirror.find(LOCK, PLATFORM, having(places, TF_CLI_CONFIG_FILE=named))) == folder


def test_mirror_must_hold_every_provider_at_its_version_for_the_platform(places):
    unpacked(places.add_on_root / "a", "1.2.4")
    unpacked(places.add_on_root / "b", platform="darwin_arm64")
    whole = unpacked(places.add_on_root / "c")
    assert folder_of(mirror.find(LOCK, PLATFORM, places)) == whole
    assert mirror.find((*LOCK, Locked("registry.terraform.io/example/other", "1.0.0")), PLATFORM, places) is None


def test_setting_without_the_wanted_version_tells_which_it_has(places, tmp_path):
    named = packed(unpacked(tmp_path / "named", "1.10.0"), "1.9.0")
    unpacked(named, "1.2.3", platform="darwin_arm64")
    with pytest.raises(MissingError) as raised:
        mirror.find(LOCK, PLATFORM, having(places, NGP_PROVIDER_MIRROR=named))
    (finding,) = raised.value.findings
    assert f"{named} does not hold `example/tiny` 1.2.3 for linux_amd64" in finding.what
    assert (finding.where, finding.why) == ("NGP_PROVIDER_MIRROR", "it has 1.9.0, 1.10.0")


def test_setting_that_names_nothing_is_told(places, tmp_path):
    with pytest.raises(MissingError) as raised:
        mirror.find(LOCK, PLATFORM, having(places, NGP_PROVIDER_MIRROR=tmp_path / "none"))
    assert raised.value.findings[0].why == "it has no version of it for this platform"


def test_stray_names_in_a_mirror_are_passed_over(tmp_path):
    folder = packed(unpacked(tmp_path / "m", "latest"))
    (folder / TINY / "terraform-provider-other_1.0.0_linux_amd64.zip").touch()
    (folder / TINY / "index.json").touch()
    assert mirror.held(folder, TINY, PLATFORM) == ("1.2.3",)


def test_folders_of_others_are_listed_in_their_order(places, tmp_path):
    add_on = unpacked(places.add_on_root / "a")
    implied = unpacked(places.home / ".terraform.d/plugins")
    unpacked(places.cache / "providers")
    assert list(mirror.folders(having(places, NGP_PROVIDER_MIRROR=tmp_path))) == [tmp_path, implied, add_on]


@pytest.mark.parametrize(
    ("make", "name"), [(unpacked, "1.2.3/linux_amd64"), (packed, "terraform-provider-tiny_1.2.3_linux_amd64.zip")]
)
def test_opentofu_gets_links_under_the_addresses_of_its_registry(places, tmp_path, make, name):
    named = make(tmp_path / "named")
    here = having(places, NGP_PROVIDER_MIRROR=named)
    for _ in range(2):  # the second run finds the links of the first
        found = mirror.provide(LOCK, TOFU, here)
    assert found.origin == "NGP_PROVIDER_MIRROR"
    assert found.folder is not None
    assert found.folder.is_relative_to(places.cache)
    package = found.folder / "registry.opentofu.org/example/tiny" / name
    assert package.readlink() == named / TINY / name
    assert [path for path in found.folder.rglob("*") if path.is_symlink()] == [package]


def test_terraform_gets_the_mirror_itself(places, tmp_path):
    named = unpacked(tmp_path / "named")
    terraform = Binary(("terraform",), "1.11.4", platform=PLATFORM)
    assert mirror.provide(LOCK, terraform, having(places, NGP_PROVIDER_MIRROR=named)).folder == named


@pytest.mark.parametrize("name", [".tofurc", ".terraformrc", "xdg/opentofu/tofurc"])
def test_configuration_of_opentofu_is_the_operators_word_for_opentofu(places, name):
    path = places.home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("provider_installation {}")
    here = having(places, XDG_CONFIG_HOME=places.home / "xdg")
    found = mirror.find(LOCK, PLATFORM, here, flavour="tofu")
    assert folder_of(found) is None
    assert (mirror.find(LOCK, PLATFORM, here) is None) == (name != ".terraformrc")


def test_a_package_that_is_not_the_locked_one_is_told(places, tmp_path):
    folder = unpacked(tmp_path / "mirror")
    package = folder / TINY / "1.2.3" / PLATFORM
    binary, found = Binary(("terraform",), "1.12.0", platform=PLATFORM), having(places, NGP_PROVIDER_MIRROR=folder)
    locked = Locked(TINY, "1.2.3", hashes=(lockfile.package_hash(package),))
    assert list(renewal.verify((locked,), binary, found)) == []
    (package / "terraform-provider-tiny_v1.2.3").write_text("another")
    (finding,) = renewal.verify((locked,), binary, found)
    assert finding.what == f"`{locked.source}` 1.2.3 in {folder} is not the package that is locked"
    assert finding.where == str(package)
    (finding,) = renewal.verify((Locked(TINY, "9.9.9"),), binary, found)
    assert "9.9.9" in str(finding)
