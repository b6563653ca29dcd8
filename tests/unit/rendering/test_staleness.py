from __future__ import annotations

import re
from pathlib import Path

import pytest

from ngp import files
from ngp.errors import UsageError
from ngp.rendering import roots, staleness
from ngp.rendering.staleness import Staleness

UNITS = Path("environments/dev/units")


@pytest.fixture
def rendered(make):
    texts = roots.render(make.pair())
    files.write_all({make.path / path: text for path, text in texts.items()})
    return texts


def compare(make, rendered) -> Staleness:
    return staleness.compare(make.path, rendered, ["dev"])


def put(make, path: Path, text: str = "x") -> Path:
    (make.path / path).parent.mkdir(parents=True, exist_ok=True)
    (make.path / path).write_text(text)
    return path


def without(rendered, unit):
    return {path: text for path, text in rendered.items() if path.parts[3] != unit}


def test_fresh_tree_is_not_stale(make, rendered):
    assert compare(make, rendered) == Staleness((), (), (), ())
    assert not compare(make, rendered).is_stale


def test_missing_and_differing_files_are_found(make, rendered):
    (make.path / UNITS / "vpn/main.tf").unlink()
    put(make, UNITS / "vpn/outputs.tf")
    found = compare(make, rendered)
    assert found.missing == (UNITS / "vpn/main.tf",)
    assert found.differing == (UNITS / "vpn/outputs.tf",)
    assert found.is_stale


def test_line_ends_are_no_change(make, rendered):
    path = make.path / UNITS / "vpn/outputs.tf"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert compare(make, rendered).differing == ()
    path.write_bytes(path.read_bytes() + b"#\r\n")
    assert compare(make, rendered).differing == (UNITS / "vpn/outputs.tf",)


def test_whole_root_of_a_removed_unit_is_orphaned(make, rendered):
    gone = compare(make, without(rendered, "vpn")).orphaned
    assert set(gone) == {path for path in rendered if path.parts[3] == "vpn"}
    assert staleness.emptied(make.path, gone) == [UNITS / "vpn"]


def test_what_running_a_root_leaves_is_neither_orphan_nor_in_the_way(make, rendered):
    put(make, UNITS / "vpn/wired.auto.tfvars.json")
    put(make, UNITS / "vpn/.terraform/terraform.tfstate")
    assert not compare(make, rendered).is_stale
    gone = compare(make, without(rendered, "vpn"))
    assert not gone.foreign
    assert staleness.emptied(make.path, gone.orphaned) == [UNITS / "vpn"]


@pytest.mark.parametrize("name", ["errored.tfstate", "override.tf", "notes/README.md", "crash.log"])
def test_what_is_not_ours_is_told_and_keeps_its_folder(make, rendered, name):
    path = put(make, UNITS / "vpn" / name)
    assert compare(make, rendered).foreign == (path,)
    gone = compare(make, without(rendered, "vpn"))
    assert path not in gone.orphaned
    assert staleness.emptied(make.path, gone.orphaned) == []


def test_root_that_somebody_wrote_by_hand_is_not_ours(make, rendered):
    hand = {put(make, UNITS / "mine" / name) for name in ("main.tf", "values.auto.tfvars.json", ".terraform.lock.hcl")}
    found = compare(make, rendered)
    assert set(found.foreign) == hand
    assert not found.is_stale


def test_roots_of_the_other_state_mode_are_orphaned(make, rendered):
    put(make, Path("environments/dev/root/main.tf"), roots.header("dev") + "\n")
    found = compare(make, rendered)
    assert found.orphaned == (Path("environments/dev/root/main.tf"),)
    assert staleness.emptied(make.path, found.orphaned) == [Path("environments/dev/root")]


def test_copies_of_modules_that_are_no_longer_pinned_are_orphaned(make, rendered):
    path = put(make, Path("environments/dev/modules/network/files/x.sh"))
    assert compare(make, rendered).foreign == (path,)
    pin = put(make, Path("environments/dev/modules/CATALOGUE"), roots.header("dev") + "\n")
    found = compare(make, rendered)
    assert found.orphaned == (pin, path)
    assert staleness.emptied(make.path, found.orphaned) == [Path("environments/dev/modules")]


def test_last_removed_unit_takes_the_units_folder_but_not_the_environment(make, rendered):
    orphaned = compare(make, {}).orphaned
    assert staleness.emptied(make.path, orphaned) == [UNITS]


def test_other_environments_are_left_alone(make, rendered):
    put(make, Path("environments/prod/units/x/main.tf"), roots.header("prod") + "\n")
    assert not compare(make, rendered).is_stale


def test_diff_shows_what_would_change(make, rendered):
    path = put(make, UNITS / "vpn/outputs.tf", "old\n")
    text = staleness.diff(make.path, path, "new\n")
    assert text == f"--- {path}\n+++ {path}\n@@ -1 +1 @@\n-old\n+new\n"


def test_diff_of_a_new_and_of_a_going_file(make, rendered):
    path = put(make, UNITS / "vpn/outputs.tf", "old")
    assert staleness.diff(make.path, path, None).startswith(
        f"--- {path}\n+++ /dev/null\n@@ -1 +0,0 @@\n-old\n\\ no newline"
    )
    new = UNITS / "new/main.tf"
    assert staleness.diff(make.path, new, "x\n") == f"--- /dev/null\n+++ {new}\n@@ -0,0 +1 @@\n+x\n"


def test_each_rendered_file_is_read_once(make, rendered, monkeypatch):
    read = []
    real = staleness._read
    monkeypatch.setattr(staleness, "_read", lambda platform, path: (read.append(path), real(platform, path))[1])
    compare(make, rendered)
    assert sorted(read) == sorted(rendered)


def test_a_link_that_lies_in_a_rendered_folder_is_seen_and_not_followed(make, rendered):
    (make.path / UNITS / "vpn/elsewhere").symlink_to(make.path)
    assert compare(make, rendered).foreign == (UNITS / "vpn/elsewhere",)


def test_a_folder_that_leads_out_of_the_platform_is_refused(make, rendered, tmp_path_factory):
    victim = tmp_path_factory.mktemp("victim") / "units"
    (make.path / UNITS).rename(victim)
    (make.path / UNITS).symlink_to(victim)
    with pytest.raises(UsageError) as caught:
        compare(make, rendered)
    assert {finding.where for finding in caught.value.findings} == {str(make.path / path.parent) for path in rendered}


def test_an_environment_that_was_never_rendered_is_said_to_be_so(make):
    with pytest.raises(UsageError) as raised:
        staleness.require_rendered(make.pair())
    finding = raised.value.findings[0]
    assert finding.what == "`dev` is not rendered yet"
    assert re.fullmatch(r"ngp plans the rendered files, and \d+ files are missing", finding.why)
    assert finding.todo == "ngp render dev"


def test_what_is_stale_is_counted_by_kind(make, rendered):
    (make.path / UNITS / "vpn/main.tf").unlink()
    with pytest.raises(UsageError, match="the rendered roots of `dev` are stale: 1 file is missing"):
        staleness.require_rendered(make.pair())
    (make.path / UNITS / "vpn/versions.tf").unlink()
    put(make, UNITS / "vpn/outputs.tf")
    with pytest.raises(UsageError, match="the rendered roots of `dev` are stale: 2 files are missing, 1 changed"):
        staleness.require_rendered(make.pair())
