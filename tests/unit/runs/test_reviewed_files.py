"""What an apply compares with its preview: files of roots and modules, and the values of wires."""

import pytest

from ngp.catalogue.types import STRING
from ngp.environments.environment import OutputRef
from ngp.errors import StaleError
from ngp.runs.expected_outputs import ExpectedOutputs
from ngp.runs.reviewed_files import ReviewedFiles
from ngp.runs.units import Unit, Wire
from ngp.state.locations import StateLocation
from ngp.terraform.plans import Action, OutputChange, Plan


@pytest.fixture
def seen(tmp_path):
    for name in ("base", "app"):
        (tmp_path / name / "files").mkdir(parents=True)
        (tmp_path / name / "main.tf").write_text("")
    (tmp_path / "module/files").mkdir(parents=True)
    (tmp_path / "module/m.tf").write_text('module "part" {\n  source = "../part"\n}\n')
    (tmp_path / "module/files/script").write_text("")
    (tmp_path / "part").mkdir()
    (tmp_path / "part/part.tf").write_text("")
    known = ExpectedOutputs(lambda _: None, lambda *_: {})
    known.put("base", Plan((), {"vpc_id": OutputChange("vpc_id", Action.CREATE, None, "vpc-1")}))
    wire = Wire("vpc_id", STRING, OutputRef("base", "vpc_id"))
    place = StateLocation("local", "", "", "", tmp_path / "x.tfstate")
    sources = {"app": tmp_path / "module"}
    base = Unit("base", "base", tmp_path / "base", place, {})
    return ReviewedFiles.collect([base, Unit("app", "app", tmp_path / "app", place, sources, (wire,))], known)


def test_nothing_is_refused_while_all_is_as_it_was(seen, tmp_path):
    (tmp_path / "app/wired.auto.tfvars.json").write_text("{}")
    (tmp_path / "app/.terraform").mkdir()
    (tmp_path / "app/.terraform/x").write_text("")
    seen.require_files()
    assert seen.moved("app", {"vpc_id": "vpc-1"}) == ""


@pytest.mark.parametrize("name", ["app/main.tf", "app/new.tf", "module/m.tf", "module/files/script", "part/part.tf"])
def test_a_file_that_changed_is_named(seen, tmp_path, name):
    with (tmp_path / name).open("a") as file:
        file.write("# edited\n")
    with pytest.raises(StaleError) as caught:
        seen.require_files()
    assert [finding.where for finding in caught.value.findings] == [str(tmp_path / name)]
    assert f"{tmp_path / name} changed" in seen.moved("app", {"vpc_id": "vpc-1"})
    assert seen.moved("base", {}) == ""


def test_a_file_that_is_gone_or_became_a_link_is_named(seen, tmp_path):
    (tmp_path / "part/part.tf").rename(tmp_path / "elsewhere.tf")
    with pytest.raises(StaleError):
        seen.require_files()
    (tmp_path / "part/part.tf").symlink_to(tmp_path / "elsewhere.tf")
    with pytest.raises(StaleError):
        seen.require_files()


def test_a_wired_value_that_differs_from_the_preview_is_named(seen):
    assert seen.moved("app", {"vpc_id": "vpc-2"}) == (
        "`vpc_id` uses base.vpc_id, whose value has changed since the preview"
    )


def test_a_value_that_was_not_known_may_be_any(seen):
    seen.known.put("base", Plan((), {"vpc_id": OutputChange("vpc_id", Action.CREATE, None, None, after_unknown=True)}))
    assert seen.moved("app", {"vpc_id": "vpc-2"}) == ""
