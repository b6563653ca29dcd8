"""States of units are joined and split without losing or inventing anything."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngp.runs.joint import lifecycles, states


def resource(module, name, *, kind="aws_thing", mode="managed", **instance):
    return {
        "module": module,
        "mode": mode,
        "type": kind,
        "name": name,
        "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
        "instances": [{"schema_version": 0, "attributes": {"id": name}, **instance}],
    }


def document(*resources, outputs=None, checks=None, version="1.11.4", serial=7):
    return {
        "version": 4,
        "terraform_version": version,
        "serial": serial,
        "lineage": "theirs",
        "outputs": outputs or {},
        "resources": list(resources),
        "check_results": checks,
    }


def joined(documents, needs=None):
    text = states.join(documents, lineage="ours", terraform_version="1.11.4", needs=needs or {})
    return states.load(text, where="joint")


def test_a_joint_state_has_the_plans_lineage_also_where_no_unit_has_a_state():
    assert joined({})["lineage"] == "ours"
    assert joined({})["terraform_version"] == "1.11.4"
    assert joined({"a": document()})["lineage"] == "ours"


def test_join_takes_the_newest_terraform_version():
    assert joined({"a": document(version="1.9.8"), "b": document(version="1.10.2")})["terraform_version"] == "1.10.2"


def test_split_gives_back_what_was_joined():
    a = document(
        resource("module.a", "x"),
        resource('module.a.module.deep["k"]', "y", dependencies=["module.a.aws_thing.x"]),
        resource("module.a", "d", mode="data"),
        outputs={"id": {"value": "1", "type": "string", "sensitive": True}},
    )
    b = document(resource("module.b[0]", "z"), outputs={"id": {"value": 2, "type": "number"}})
    parts = states.split(joined({"a": a, "b": b}, {"b": {"a"}}), ["a", "b"])
    assert parts["a"].equals(a)
    assert parts["b"].equals(b)


def test_join_makes_a_resource_depend_on_its_upstream_unit_and_split_takes_that_away():
    a, b = document(resource("module.a", "x")), document(resource("module.b", "z"))
    whole = joined({"a": a, "b": b}, {"b": {"a"}})
    found = {one["name"]: one["instances"][0].get("dependencies") for one in whole["resources"]}
    assert found == {"x": None, "z": ["module.a.aws_thing.x"]}
    assert "dependencies" not in states.split(whole, ["a", "b"])["b"].resources[0]["instances"][0]


def test_dependencies_go_through_an_upstream_unit_without_resources():
    parts = {"a": document(resource("module.a", "x")), "b": document(), "c": document(resource("module.c", "z"))}
    whole = joined(parts, {"c": {"b"}, "b": {"a"}})
    assert whole["resources"][-1]["instances"][0]["dependencies"] == ["module.a.aws_thing.x"]


def test_dependencies_have_no_instance_keys():
    a = document(resource('module.a.module.deep["we.ird]"]', "x"))
    whole = joined({"a": a, "b": document(resource("module.b", "z"))}, {"b": {"a"}})
    assert whole["resources"][-1]["instances"][0]["dependencies"] == ["module.a.module.deep.aws_thing.x"]


@pytest.mark.parametrize("module", ["", "module.other", "module.ab"])
def test_a_resource_outside_of_its_units_module_is_not_joined(module):
    with pytest.raises(states.ForeignStateError, match="outside of module.a"):
        joined({"a": document(resource(module, "x"))})


def test_what_no_unit_owns_is_not_dropped_in_silence():
    with pytest.raises(states.ForeignStateError, match=r"module.zz.aws_thing.x"):
        states.split(document(resource("module.zz", "x")), ["a"])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not a Terraform state"),
        ("[]", "not a Terraform state"),
        ('{"version": 3}', "format 3"),
        ('{"version": 4, "resources": []}', "not a Terraform state"),
        ('{"version": 4, "encrypted_data": "x", "meta": {}}', "encrypted"),
    ],
)
def test_what_cannot_be_joined_is_refused_with_its_place(text, says):
    with pytest.raises(states.ForeignStateError, match=says) as caught:
        states.load(text, where="s3://bucket/key")
    assert caught.value.findings[0].where == "s3://bucket/key"


def test_checks_of_root_variables_and_outputs_get_their_own_names_back():
    def check(kind, address):
        return {
            "object_kind": kind,
            "config_addr": address,
            "status": "pass",
            "objects": [{"object_addr": address, "status": "pass"}],
        }

    whole = document(
        checks=[
            check("var", "module.a.var.x"),
            check("var", "var.a__x"),
            check("output_value", "output.a__id"),
            check("resource", "module.b.aws_thing.z"),
            check("var", "var.ab__x"),
        ]
    )
    parts = states.split(whole, ["a", "b", "ab"])
    assert [one["config_addr"] for one in parts["a"].check_results] == ["module.a.var.x", "var.x", "output.id"]
    assert parts["a"].check_results[1]["objects"][0]["object_addr"] == "var.x"
    assert [one["config_addr"] for one in parts["b"].check_results] == ["module.b.aws_thing.z"]
    assert [one["config_addr"] for one in parts["ab"].check_results] == ["var.x"]


def test_numbers_keep_every_digit():
    text = '{"version": 4, "terraform_version": "1.11.4", "outputs": {"n": {"value": 12345678901234567890.123456789}}}'
    whole = states.join({"a": states.load(text, where="a")}, lineage="ours", terraform_version="1.11.4", needs={})
    assert "12345678901234567890.123456789" in whole


def test_order_does_not_make_a_part_differ_and_a_value_does():
    one, other = resource("module.a", "x", dependencies=["b", "a"]), resource("module.a", "y")
    part = states.StatePart([other, resource("module.a", "x", dependencies=["a", "b"])], {})
    assert part.equals(document(one, other))
    assert not part.equals(document(one))
    assert not states.StatePart([one, other], {"o": {"value": 1}}).equals(document(one, other))
    assert states.StatePart([], {}).equals(None)
    assert not states.StatePart([one], {}).equals(None)


def test_tainted_and_deposed_objects_stay(request):
    tainted = resource("module.a", "x", status="tainted")
    deposed = resource("module.a", "y", deposed="00000001", private="cHJpdmF0ZQ==")
    a = document(tainted, deposed)
    part = states.split(joined({"a": a}), ["a"])["a"]
    assert part.equals(a)
    rendered = json.loads(states.render(part, lineage="l", serial=8, terraform_version="1.11.4"))
    assert rendered["resources"][1]["instances"][0]["deposed"] == "00000001"
    assert (rendered["lineage"], rendered["serial"], rendered["version"]) == ("l", 8, 4)


names = st.text("abcxyz", min_size=1, max_size=3)


@given(st.dictionaries(names, st.lists(names, unique=True, max_size=4), min_size=1, max_size=4), st.data())
def test_splitting_a_join_is_the_identity(units, data):
    documents = {
        unit: document(
            *(
                resource(
                    data.draw(
                        st.sampled_from([f"module.{unit}", f'module.{unit}.module.m["a.b"]', f"module.{unit}[0]"])
                    ),
                    name,
                    dependencies=[f"module.{unit}.aws_thing.{name}"],
                )
                for name in found
            ),
            outputs={name: {"value": data.draw(st.none() | st.integers() | st.text()), "type": "x"} for name in found},
        )
        for unit, found in units.items()
    }
    needs = {unit: set(data.draw(st.lists(st.sampled_from(sorted(units)), unique=True))) - {unit} for unit in units}
    parts = states.split(joined(documents, needs), units)
    assert all(parts[unit].equals(documents[unit]) for unit in units)


class TestCreateBeforeDestroy:
    """`create_before_destroy` stays where the unit's own configuration says or spreads it, and nowhere else."""

    def test_it_is_read_from_the_configuration_nested_modules_too(self, tmp_path):
        (tmp_path / "inner").mkdir()
        (tmp_path / "main.tf").write_text(
            'resource "aws_thing" "x" {\n  lifecycle {\n    create_before_destroy = true\n  }\n}\n'
            'resource "aws_thing" "y" {}\nmodule "deep" {\n  source = "./inner"\n}\n'
        )
        (tmp_path / "inner" / "main.tf").write_text(
            'resource "aws_thing" "z" {\n  lifecycle {\n    create_before_destroy = true\n  }\n}\n'
            'resource "aws_thing" "w" {\n  lifecycle {\n    create_before_destroy = false\n  }\n}\n'
        )
        assert lifecycles.declared("a", tmp_path) == {"module.a.aws_thing.x", "module.a.module.deep.aws_thing.z"}

    def test_it_is_read_from_json_too(self, tmp_path):
        first = {"lifecycle": [{"create_before_destroy": True}]}
        resources = [{"aws_thing": {"x": first, "y": {}}}, {"aws_other": {"z": [first]}}]
        document = {"resource": resources, "module": {"deep": {"source": "./inner"}}}
        (tmp_path / "main.tf.json").write_text(json.dumps(document))
        (tmp_path / "inner").mkdir()
        (tmp_path / "inner" / "main.tf.json").write_text(json.dumps({"resource": {"aws_thing": {"w": first}}}))
        assert lifecycles.declared("a", tmp_path) == {
            "module.a.aws_thing.x",
            "module.a.aws_other.z",
            "module.a.module.deep.aws_thing.w",
        }

    def test_it_is_read_from_modules_that_were_fetched(self, tmp_path):
        (tmp_path / "source").mkdir()
        (tmp_path / "source" / "main.tf").write_text('module "deep" {\n  source = "some/where/aws"\n}\n')
        inner = tmp_path / "data" / "modules" / "a.deep"
        inner.mkdir(parents=True)
        (inner / "main.tf").write_text(
            'resource "aws_thing" "z" {\n  lifecycle {\n    create_before_destroy = true\n  }\n}\n'
        )
        listed = {"Modules": [{"Key": "", "Dir": "."}, {"Key": "a.deep", "Dir": "../data/modules/a.deep"}]}
        (tmp_path / "data" / "modules" / "modules.json").write_text(json.dumps(listed))
        (tmp_path / "root").mkdir()
        fetched = lifecycles.fetched(tmp_path / "root", tmp_path / "data")
        assert lifecycles.declared("a", tmp_path / "source", fetched) == {"module.a.module.deep.aws_thing.z"}
        assert lifecycles.fetched(tmp_path / "root", tmp_path / "none") == {}

    def test_a_flag_that_another_unit_spread_is_taken_away(self):
        part = states.StatePart([resource("module.a", "x", create_before_destroy=True)], {})
        assert not lifecycles.has_flag(lifecycles.normalize(part, None, ()))

    def test_a_flag_that_the_unit_itself_spreads_stays(self):
        part = states.StatePart(
            [
                resource("module.a", "x", create_before_destroy=True),
                resource("module.a", "y", create_before_destroy=True, dependencies=["module.a.aws_thing.x"]),
            ],
            {},
        )
        assert lifecycles.normalize(part, None, {"module.a.aws_thing.y"}) == part

    def test_a_flag_that_was_there_before_stays(self):
        part = states.StatePart([resource("module.a", "x", create_before_destroy=True)], {})
        assert lifecycles.normalize(part, document(*part.resources), ()) == part
