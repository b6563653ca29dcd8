import json
from decimal import Decimal

import pytest

from ngp.catalogue.types import ANY, BOOL, NUMBER, STRING, Collection, ObjectAttribute, Sequence, Structure
from ngp.runs import preview
from ngp.runs.preview import ExpectedOutput, WiredInput
from ngp.terraform.plans import Action, OutputChange


def wired(kind, value=None, unknown=True, name="vpc_id"):
    return WiredInput(name, kind, f"network.{name}", 1, ExpectedOutput(value, unknown))


def draft(*inputs):
    made = preview.draft("app", inputs)
    files = {name: json.loads(text) for name, text in made.files.items()}
    return (
        files["preview_override.tf.json"]["module"]["app"],
        files["preview.tf.json"].get("resource", {}).get("terraform_data", {}),
        files["preview.auto.tfvars.json"]["ngp_known"],
        made.unknowns,
    )


def test_a_known_output_goes_in_as_its_value_by_var_file():
    module, placeholders, known, unknowns = draft(wired(STRING, 'vpc-1 ${"x"}', unknown=False))
    assert module == {"vpc_id": "${var.ngp_known.k0}"}
    assert known == {"k0": 'vpc-1 ${"x"}'}
    assert (placeholders, unknowns) == ({}, ())


def test_an_unknown_output_names_where_it_comes_from():
    module, placeholders, _, unknowns = draft(wired(STRING))
    assert module["vpc_id"] == "${terraform_data.ngp_unknown_0.output}"
    assert placeholders["ngp_unknown_0"]["input"] == '${""}'
    assert [(one.leaf, one.origin, one.wave) for one in unknowns] == [("vpc_id", "network.vpc_id", 1)]


def test_every_placeholder_fails_when_it_is_applied():
    _, placeholders, _, _ = draft(wired(STRING), wired(NUMBER, name="n"))
    assert [one["lifecycle"]["postcondition"][0]["condition"] for one in placeholders.values()] == [
        '${self.id == ""}',
        '${self.id == ""}',
    ]


@pytest.mark.parametrize(
    ("kind", "sample"),
    [
        (NUMBER, "0"),
        (BOOL, "false"),
        (Collection("list", STRING), 'tolist([""])'),
        (Collection("set", NUMBER), "toset([0])"),
        (Collection("map", BOOL), 'tomap({"" = false})'),
        (Structure({"a": ObjectAttribute(STRING), "b": ObjectAttribute(NUMBER, optional=True)}), '{"a" = "", "b" = 0}'),
        (Sequence((STRING, BOOL)), '["", false]'),
    ],
)
def test_a_placeholder_has_the_type_that_the_consumer_declares(kind, sample):
    _, placeholders, _, _ = draft(wired(kind))
    assert placeholders["ngp_unknown_0"]["input"] == f"${{{sample}}}"


def test_a_list_keeps_its_length_and_its_known_elements():
    module, _, known, unknowns = draft(wired(Collection("list", STRING), ["a", None, "c"], [False, True]))
    assert module["vpc_id"] == [
        "${var.ngp_known.k0}",
        "${terraform_data.ngp_unknown_0.output}",
        "${var.ngp_known.k1}",
    ]
    assert known == {"k0": "a", "k1": "c"}
    assert [one.leaf for one in unknowns] == ["vpc_id[1]"]


def test_an_object_is_taken_apart_by_key_and_a_key_is_no_template():
    module, _, known, unknowns = draft(wired(Collection("map", STRING), {"a${b}": "x"}, {"c": True}))
    assert module["vpc_id"] == {
        "a$${b}": "${var.ngp_known.k0}",
        "c": "${terraform_data.ngp_unknown_0.output}",
    }
    assert known == {"k0": "x"}
    assert [one.leaf for one in unknowns] == ['vpc_id["c"]']


def test_an_input_of_any_type_cannot_be_previewed():
    with pytest.raises(preview.CannotPreviewError, match="`vpc_id` is not known yet, and its input has the type any"):
        draft(wired(ANY))


def test_an_offer_is_what_the_upstream_plan_says():
    change = OutputChange("ids", Action.CREATE, after=["a", None], after_unknown=[False, True])
    assert ExpectedOutput.of(change) == ExpectedOutput(["a", None], [False, True])


def test_placeholders_are_told_from_the_units_own_resources():
    assert preview.is_placeholder("terraform_data.ngp_unknown_12")
    assert not preview.is_placeholder("module.app.terraform_data.ngp_unknown_12")


def test_an_attribute_that_the_consumer_does_not_declare_needs_no_placeholder():
    module, placeholders, _, _ = draft(wired(Structure({"a": ObjectAttribute(STRING)}), {"a": "x"}, {"b": True}))
    assert module["vpc_id"] == {"a": "${var.ngp_known.k0}"}
    assert placeholders == {}


def test_a_known_number_keeps_every_digit():
    text = preview.draft("app", (wired(NUMBER, Decimal("1.00000000000000000000001"), unknown=False),)).files
    assert "1.00000000000000000000001" in text["preview.auto.tfvars.json"]
