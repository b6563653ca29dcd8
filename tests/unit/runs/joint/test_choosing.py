"""Which units can be planned in one root, and why the others cannot."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from ngp.runs.joint import choosing
from ngp.runs.units import SINGLE, Unit
from ngp.state.locations import StateLocation
from ngp.state.storing import Encryption

S3 = StateLocation("s3", "states", "environments/dev/app.tfstate", "eu-central-1")
BACKEND = """terraform {
  backend "s3" {
    bucket = "states"
    key = "environments/dev/app.tfstate"
    use_lockfile = true
    MORE
  }
}
"""
GUARDED = 'data "aws_ami" "x" {\n  filter {}\n  lifecycle {\n    postcondition {\n    }\n  }\n}\n'


@pytest.fixture
def folder(tmp_path):
    for name in ("root", "module", "templates/root"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "root/versions.tf").write_text(BACKEND.replace("MORE", ""))
    (tmp_path / "module/main.tf").write_text('resource "terraform_data" "x" {}\n')
    return tmp_path


@pytest.fixture
def context(folder):
    def unit(name, wires=()):
        return Unit(name, name, folder / "root", S3, {name: folder / "module"}, wires)

    units = {name: unit(name) for name in ("app", "base", "web")}
    options = SimpleNamespace(extra=(), refresh_only=False)
    return SimpleNamespace(
        units=units,
        needs={"app": frozenset({"base"}), "base": frozenset(), "web": frozenset()},
        waves={"app": 2, "base": 1, "web": 1},
        request=SimpleNamespace(is_apart=False, options=options),
        resolved=SimpleNamespace(platform=SimpleNamespace(path=folder)),
        unit=unit,
    )


def only(context, unit):
    """Why a run of one unit alone plans it separately, "" if it does not."""
    context.units, context.needs, context.waves = {unit.name: unit}, {unit.name: frozenset()}, {unit.name: 1}
    return choosing.apart(context).get(unit.name, "")


def test_usual_units_are_planned_together(context):
    assert choosing.apart(context) == {}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda request: setattr(request, "is_apart", True), "you passed --apart"),
        (lambda request: setattr(request.options, "extra", ("-x",)), "options for Terraform itself"),
        (lambda request: setattr(request.options, "refresh_only", True), "only refreshes"),
    ],
)
def test_what_one_process_cannot_do_concerns_all(context, change, says):
    change(context.request)
    found = choosing.apart(context)
    assert set(found) == {"app", "base", "web"}
    assert all(says in why for why in found.values())


def test_a_template_of_the_root_concerns_all_but_one_root_for_all(context, folder):
    (folder / "templates/root/main.tf.j2").write_text("")
    assert set(choosing.apart(context)) == {"app", "base", "web"}
    assert only(context, Unit(SINGLE, "", folder / "root", S3, {"app": folder / "module"})) == ""


def test_dependants_of_a_separate_unit_are_separate_too(context):
    found = choosing.with_dependants({"base": "why"}, context.needs)
    assert found == {"base": "why", "app": "it needs `base`, which ngp handles separately"}


def test_units_beyond_the_most_that_one_process_plans_are_those_of_later_waves(context, monkeypatch):
    monkeypatch.setattr(choosing, "MOST", 2)
    assert set(choosing.apart(context)) == {"app"}
    monkeypatch.setattr(choosing, "MOST", 3)
    assert choosing.apart(context) == {}


class TestModules:
    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("x = abspath(path.root)", "reads the folder"),
            ("x = path.cwd", "reads the folder"),
            ('x = file("${path.module}/../y")', "outside of its folder"),
            ("x = path.cwds", ""),
            ('x = "../y"', ""),
        ],
    )
    def test_what_depends_on_the_place_is_planned_separately(self, context, folder, text, says):
        (folder / "module/more.tf").write_text(f"locals {{\n  {text}\n}}\n")
        why = only(context, context.unit("app"))
        assert says in why if says else not why

    def test_a_link_out_of_it_is_like_a_path_out_of_it(self, context, folder):
        (folder / "module/inside").symlink_to("main.tf")
        assert only(context, context.unit("app")) == ""
        (folder / "module/.terraform").mkdir()
        (folder / "module/.terraform/x").symlink_to(folder / "root")
        assert only(context, context.unit("app")) == ""
        (folder / "module/outside").symlink_to(folder / "root")
        assert "outside of its folder" in only(context, context.unit("app"))

    def test_a_module_that_it_calls_counts(self, context, folder):
        (folder / "module/inner").mkdir()
        (folder / "module/inner/main.tf").write_text("locals {\n  x = path.cwd\n}\n")
        (folder / "module/call.tf").write_text('module "inner" {\n  source = "./inner"\n}\n')
        assert "reads the folder" in only(context, context.unit("app"))

    @pytest.mark.parametrize(
        ("name", "text", "is_guarded"),
        [
            ("d.tf", GUARDED, True),
            ("d.tf", GUARDED.replace("data", "resource"), False),
            ("d.tf", 'data "a" "x" {}\nresource "b" "y" {\n  lifecycle {\n    precondition {}\n  }\n}\n', False),
            ("d.tf.json", '{"data": {"a": {"x": {"lifecycle": {"precondition": {}}}}}}', True),
            ("d.tf.json", '{"resource": {"a": {"x": {"lifecycle": {"precondition": {}}}}}}', False),
        ],
    )
    def test_a_data_source_with_a_condition_matters_where_another_unit_feeds_it(
        self, context, folder, name, text, is_guarded
    ):
        (folder / "module" / name).write_text(text)
        assert only(context, context.unit("app")) == ""
        assert bool(only(context, context.unit("app", ("a wire",)))) is is_guarded


class TestRoots:
    def test_a_file_that_ngp_did_not_render_is_named(self, context, folder):
        (folder / "root/extra.tf").write_text("")
        assert only(context, context.unit("app")).endswith("ngp did not render: extra.tf")

    @pytest.mark.parametrize(
        ("text", "is_backend"),
        [
            ('terraform {\n  backend "local" {}\n}', True),
            ("terraform {\n  cloud {\n  }\n}", True),
            ("# no backend", False),
        ],
    )
    def test_one_root_for_all_has_one_backend(self, context, folder, text, is_backend):
        (folder / "root/extra.tf").write_text(text)
        found = only(context, Unit(SINGLE, "", folder / "root", S3, {"app": folder / "module"}))
        assert bool(found) is is_backend


class TestOwnVersions:
    """The platform renders versions.tf by a template of its own."""

    @pytest.fixture(autouse=True)
    def own(self, folder):
        (folder / "templates/root/versions.tf.j2").write_text("")

    def backend(self, folder, more):
        (folder / "root/versions.tf").write_text(BACKEND.replace("MORE", more))

    @pytest.mark.parametrize("more", ["", "encrypt = false", 'kms_key_id = "alias/x"'])
    def test_a_backend_that_ngp_can_lock_and_write(self, context, folder, more):
        self.backend(folder, more)
        assert only(context, context.unit("app")) == ""

    @pytest.mark.parametrize(
        ("more", "says"), [('dynamodb_table = "locks"', "dynamodb_table"), ("use_lockfile = false", "use_lockfile")]
    )
    def test_another_is_left_to_terraform(self, context, folder, more, says):
        text = BACKEND.replace("    use_lockfile = true\n", "") if "use" in more else BACKEND
        (folder / "root/versions.tf").write_text(text.replace("MORE", more))
        assert only(context, context.unit("app")) == f"its backend is not one that ngp can lock and write: {says}"

    @pytest.mark.parametrize(
        ("more", "expected"),
        [
            ("", Encryption()),
            ("encrypt = true", Encryption()),
            ("encrypt = false", Encryption(is_on=False)),
            ('kms_key_id = "alias/x"', Encryption("alias/x")),
        ],
    )
    def test_states_are_encrypted_as_its_backend_says(self, context, folder, more, expected):
        self.backend(folder, more)
        unit = context.unit("app")
        assert choosing.encryption(unit, is_own_template=True) == expected
        assert choosing.encryption(unit, is_own_template=False) == Encryption()
        local = replace(unit, place=StateLocation("local", "", "", "", folder / "app.tfstate"))
        assert choosing.encryption(local, is_own_template=True) == Encryption()

    def test_roots_are_joined_where_they_differ_in_the_backend_alone(self, context, folder):
        joint = {"versions.tf": 'terraform {\n  backend "local" {}\n}\n'}
        self.backend(folder, "")
        assert choosing.means_the_same(context, context.units.values(), joint)
        other = {"versions.tf": 'terraform {\n  required_version = "1"\n  backend "local" {}\n}\n'}
        assert not choosing.means_the_same(context, context.units.values(), other)
