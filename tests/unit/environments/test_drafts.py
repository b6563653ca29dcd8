"""What `ngp configure` works out: closure, wiring, questions, values; exactly the new choice, nothing lost."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ngp import files
from ngp.catalogue import loading
from ngp.environments import choosing, drafting, drafts, flags
from ngp.environments.drafts import Choice
from ngp.errors import UsageError


@pytest.fixture
def configure(house):
    """Configure dev by flags and write; raise what is wrong."""

    def run(*modules, sets=(), wires=(), name="dev", catalogue=None, dummies=False):
        subject = drafts.read(house.platform, name, catalogue)
        choice = flags.choice(subject, modules, sets, wires)
        draft = drafting.prepare(subject, replace(choice, catalogue=catalogue, dummies=dummies))
        found = [*draft.findings, *(question.finding() for question in draft.questions)]
        if found:
            raise UsageError(found)
        files.write_all(dict(draft.files))
        return draft

    return run


def _refused(house, configure, *modules, **more):
    before = house.tree()
    with pytest.raises(UsageError) as caught:
        configure(*modules, **more)
    assert house.tree() == before
    return [f"{finding} [{finding.todo}]" for finding in caught.value.findings]


EMPTY = 'target: sandbox\naccount: "123456789012"\nregion: eu-central-1\ndomain: dev.example.com\n'
TAGS = ("pre_tag=demo", "post_tag=dev")


def test_a_required_module_comes_along_and_is_wired(house, configure):
    house.environment(EMPTY, "")
    draft = configure("openvpn", sets=[*TAGS, 'openvpn.admin_cidrs=["10.0.0.0/8"]'])
    assert draft.units == {"openvpn": "openvpn", "network": "network"}
    assert draft.pulled == {"network": "`openvpn` needs `vpc_id`"}
    assert draft.wired == ("openvpn.vpc_id = network.vpc_id",)
    assert str(house.resolve().bindings["openvpn"].inputs["vpc_id"].wire) == "network.vpc_id"


def test_values_are_written_with_the_modules_comments(house, configure):
    house.environment(EMPTY, "")
    configure("openvpn", sets=[*TAGS, "openvpn.admin_cidrs=[]", "openvpn.disk_gib=20"])
    assert house.read("terraform.tfvars") == (
        '# Beginning of every name\npre_tag = "demo"\n# End of every name\npost_tag = "dev"\n\n'
        "# OpenVPN: The way in\nopenvpn = {\n"
        "  # Who administrates\n  # the server\n  admin_cidrs = []\n"
        "  # Size of its disk\n  disk_gib = 20\n}\n"
    )


def test_what_has_no_value_is_asked_with_its_description_and_dummy(house):
    house.environment(EMPTY, "")
    draft = drafting.prepare(drafts.read(house.platform, "dev"), Choice(units={"openvpn": "openvpn"}))
    assert [(each.name, each.text, each.default) for each in draft.questions] == [
        ("pre_tag", "Beginning of every name", '"demo"'),  # openvpn gives none, network does
        ("post_tag", "End of every name", '"one"'),
        ("openvpn.admin_cidrs", "Networks that administrators come from", '["198.51.100.0/24"]'),
    ]
    assert draft.questions[2].check("[1]") == []
    assert draft.questions[2].check("nonsense") == ["`nonsense` is neither JSON nor an HCL literal"]
    assert "must not begin with `aws`" in draft.questions[0].check("aws-x")[0]
    for text in ("-demo", "demo-"):
        assert draft.questions[0].check(text) == ["pre_tag must neither begin nor end with a dash"]


def test_missing_answers_are_errors_that_name_the_flag(house, configure):
    house.environment(EMPTY, "")
    found = _refused(house, configure, "openvpn")
    assert len(found) == 3
    assert "`openvpn.admin_cidrs` has no value" in found[2]
    assert "--set openvpn.admin_cidrs=VALUE" in found[2]


def test_dummies_answer_what_has_no_value(house, configure):
    house.environment(EMPTY, "")
    configure("network", dummies=True)
    assert 'pre_tag = "demo"\n' in house.read("terraform.tfvars")


def test_what_has_no_dummy_stays_open(house, configure):
    (house.path / "modules/openvpn/openvpn.dummy").write_text("")
    house.environment(EMPTY, "")
    (found,) = _refused(house, configure, "openvpn", dummies=True)
    assert "`openvpn.admin_cidrs` has no value" in found


def test_a_module_that_is_needed_takes_the_name_of_no_chosen_unit(house):
    catalogue = loading.load(house.path / "modules", house.platform.cache)
    closed = choosing.close({"network": "database", "openvpn": "openvpn"}, catalogue)
    assert {unit: module.name for unit, module in closed.units.items()} == {
        "network": "database",
        "openvpn": "openvpn",
    }
    assert closed.added == {}


def test_a_default_over_lines_is_offered_on_one_line():
    assert drafts.Question(("a",), "", default='[\n  "b",\n]').line == '["b"]'
    assert drafts.Question(("a",), "", default='[ "b" ]').line == '[ "b" ]'


def test_dummies_give_a_second_environment_names_of_its_own(house, configure):
    house.environment(values=house.read("terraform.tfvars").replace('"dev"', '"one"'))
    for number, (name, tag) in enumerate(
        [("stage", "stage"), ("production", "produc"), ("ab", "env1"), ("cd", "env2")]
    ):
        house.environment(EMPTY.replace("dev.", f"{name}."), "", name)
        configure("network", dummies=True, name=name)
        assert f'post_tag = "{tag}"\n' in house.read("terraform.tfvars", name), number
    house.environment(EMPTY.replace("123456789012", "999999999999"), "", "far")  # another account has its own names
    configure("network", dummies=True, name="far")
    assert 'post_tag = "one"\n' in house.read("terraform.tfvars", "far")


@pytest.mark.parametrize(
    ("modules", "sets", "wires", "where"),
    [
        ([], ["pre_tag=aws-x"], [], "--set pre_tag: "),
        ([], ["post_tag=one"], [], "environments/dev/terraform.tfvars:2: pre_tag and post_tag are those"),
        ([], ["pre_tag=demo", "post_tag=one"], [], "--set pre_tag: pre_tag and post_tag are those"),
        (
            ["network", "openvpn", "again=openvpn"],
            ["again.admin_cidrs=[]"],
            ["again.vpc_id=openvpn.nothing"],
            "--wire again.vpc_id=openvpn.nothing: ",
        ),
        (["network", "openvpn", "rows=database"], [], [], "--module rows: rows.unit = "),
    ],
)
def test_what_is_wrong_with_a_draft_is_told_where_it_was_said(house, configure, modules, sets, wires, where):
    house.environment(EMPTY, 'pre_tag = "demo"\npost_tag = "one"\n', name="stage")
    house.environment(values="# first\n" + 'pre_tag = "demo"\npost_tag = "dev"\nopenvpn = { admin_cidrs = [] }\n')
    variables = house.path / "modules" / "database" / "database-variables.tf"
    rule = 'validation {\n    condition     = var.unit != "rows"\n    error_message = "no."\n  }'
    variables.write_text(variables.read_text().replace('default     = ""\n', f'default     = ""\n  {rule}\n'))
    found = _refused(house, configure, *modules, sets=sets, wires=wires)
    assert any(one.replace(f"{house.path}/", "").startswith(where) for one in found), found


def test_what_a_draft_found_itself_is_told_with_the_file_and_no_line_of_it(house, configure):
    for name, needs in (("left", "right"), ("right", "left")):
        manifest = f"title: T\nsummary: S\ncategory: base\nrequires: [{needs}_id]\n"
        house.module(name, manifest, f'variable "{needs}_id" {{\n  type = string\n}}\n', (f"{name}_id",))
    house.environment(EMPTY, "")
    (found,) = _refused(house, configure, "left", "right")
    assert found.startswith(
        f"{house.path}/environments/dev/environment.yaml: the units depend on each other in a cycle"
    )


def test_a_line_of_a_draft_that_moved_is_told_as_it_is_saved(house, configure):
    house.environment(values='openvpn = {\n  admin_cidrs = "none"\n}\n')
    found = _refused(house, configure, sets=TAGS)
    assert found[0].startswith(f"{house.path}/environments/dev/terraform.tfvars:2: openvpn.admin_cidrs"), found


def test_a_dummy_that_is_wrong_is_told_in_its_file(house, configure):
    dummy = house.path / "modules" / "network" / "network.dummy"
    dummy.write_text(dummy.read_text().replace('"demo"', '"x"'))
    house.environment(EMPTY, "")
    found = _refused(house, configure, "network", dummies=True)
    assert found[0].startswith(f"{dummy}:2: pre_tag = 'x': pre_tag must have 3 to 12 characters"), found


def test_the_same_choice_changes_no_byte(house, configure):
    before = house.tree()
    configure("network", "openvpn")
    configure()
    configure("network", "openvpn", sets=["pre_tag=demo", 'openvpn.admin_cidrs=["10.0.0.0/8"]'])
    assert house.tree() == before


def test_another_choice_is_exactly_that_choice_and_back_again_loses_nothing(house, configure):
    before = house.tree()
    draft = configure("network")
    assert draft.removed == ("openvpn",)
    assert "openvpn" not in house.read("environment.yaml")
    assert '#   admin_cidrs = ["10.0.0.0/8"] # the office\n' in house.read("terraform.tfvars")
    assert house.resolve().bindings.keys() == {"network"}
    configure("network", "openvpn")
    assert house.tree()["environments/dev/terraform.tfvars"] == before["environments/dev/terraform.tfvars"]
    assert house.resolve().bindings["openvpn"].inputs["admin_cidrs"].value == ["10.0.0.0/8"]


def test_a_removed_unit_takes_the_wires_from_it_along(house, configure):
    house.environment(values='vpc_id = "vpc-1"\n' + house.read("terraform.tfvars"))
    configure("openvpn")
    assert "network" not in house.read("environment.yaml")


def test_a_module_stands_twice_under_two_names(house, configure):
    configure("network", "openvpn", "backup=openvpn", sets=["backup.admin_cidrs=[]"])
    assert "backup: {module: openvpn}" in house.read("environment.yaml")
    draft = configure("network", "openvpn", "backup")
    assert draft.units["backup"] == "openvpn"


def test_an_input_that_several_units_could_feed_must_be_named(house, configure):
    modules = ("network", "second=network", "openvpn")
    configure(*modules)  # the wire that is written down counts, a new unit changes nothing
    text = house.read("environment.yaml").partition("wiring:")[0]
    house.environment(text)
    (found,) = _refused(house, configure, *modules)
    assert "several units could feed `openvpn.vpc_id`: `network.vpc_id`, `second.vpc_id`" in found
    assert "--wire openvpn.vpc_id=UNIT.OUTPUT" in found
    configure(*modules, wires=["openvpn.vpc_id=second.vpc_id"])
    assert house.resolve().edges["openvpn"] == ("second",)


def test_a_provider_that_several_modules_could_be_must_be_named(house, configure):
    house.environment(EMPTY, "")
    found = _refused(house, configure, "registry", sets=TAGS)
    assert "several modules provide: `dcos`, `swarm`" in found[0]
    assert "--module dcos or --module swarm" in found[0]
    assert configure("registry", "swarm", sets=TAGS).units.keys() == {"registry", "swarm", "network"}


def test_modules_that_conflict_are_refused_with_the_manifests_reason(house, configure):
    found = _refused(house, configure, "network", "swarm", "dcos")
    assert "`dcos` and `swarm` cannot be used in one environment; both want the nodes" in found[0]


def test_a_wire_given_by_hand_is_written_and_checked(house, configure):
    configure("network", "openvpn", wires=["openvpn.peer=network.vpc_id"])
    assert "peer: network.vpc_id" in house.read("environment.yaml")
    found = _refused(house, configure, "network", "openvpn", wires=["openvpn.peer=network.key_secret"])
    assert "wires a sensitive output" in found[0]


@pytest.mark.parametrize(
    ("sets", "said"),
    [
        (["pretag=x"], "`pretag` is not a common input [did you mean `pre_tag`? Or set"),
        (["openvp.disk_gib=3"], "the unit `openvp` does not exist [did you mean `openvpn`?"),
        (["openvpn.disk_gb=3"], "has no variable `disk_gb` [did you mean `disk_gib`?"),
        (["openvpn.disk_gib=big"], "`big` is neither JSON nor an HCL literal"),
        (["openvpn.disk_gib=[1]"], "openvpn.disk_gib: a number is required, not a list"),
        (["openvpn.region=x"], "`region` is a fact"),
        (["region=x"], "`region` is a fact"),
        (["pre_tag=aws"], "pre_tag must not begin with `aws`"),
        (["openvpn.instance_type=vault:a#b"], "for ephemeral and sensitive inputs only"),
        (["openvpn.disk_gib"], "cannot read `openvpn.disk_gib`"),
        (["Open.x=1"], "cannot read `Open.x=1`"),
        (["tags={}"], "no chosen module has a variable `tags`"),
        (['openvpn.instance_type="\\ud800"'], "HCL cannot express this value"),
        (["openvpn.disk_gib=NaN"], "`NaN` is neither JSON nor an HCL literal"),
        (["openvpn.disk_gib=1\nother = 2"], "is neither JSON nor an HCL literal"),
    ],
)
def test_a_setting_that_is_wrong_is_told(house, configure, sets, said):
    found = _refused(house, configure, "network", "openvpn", sets=sets)
    assert any(said in each for each in found), found


@pytest.mark.parametrize(
    ("modules", "said"),
    [
        (["opnvpn"], "the module `opnvpn` does not exist [did you mean `openvpn`? Or list"),
        (["a=network", "a=openvpn"], "the unit `a` is named twice"),
        (["tags=network"], "`tags` is not a valid unit name"),
        (["A_b=network"], "`A_b` is not a valid unit name"),
        ([f"{'a' * 32}=network"], f"`{'a' * 32}` is not a valid unit name"),
    ],
)
def test_a_choice_that_is_wrong_is_told(house, configure, modules, said):
    assert any(said in each for each in _refused(house, configure, *modules))


def test_a_wire_that_cannot_be_read_is_told(house, configure):
    assert "UNIT.INPUT=UNIT.OUTPUT" in _refused(house, configure, wires=["openvpn.vpc_id"])[0]


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("t3.large", "t3.large"),
        ('"t3.large"', "t3.large"),
        ("1.10", "1.10"),
        ("true", "true"),
        ('"${x}"', "${x}"),
        ('"a\\nb"', "a\nb"),
        ("=", "="),
        ("null", None),
    ],
)
def test_a_string_is_what_was_typed(house, configure, typed, value):
    configure(sets=[f"openvpn.instance_type={typed}"])
    assert house.resolve().bindings["openvpn"].inputs["instance_type"].value == value


def test_objects_are_taken_as_hcl_and_as_json(house, configure):
    configure("network", "openvpn", "swarm", sets=["swarm.pools={ a = { size = 1 } }"])
    assert house.resolve().bindings["swarm"].inputs["pools"].value == {"a": {"size": 1}}
    configure(sets=['swarm.pools={"b": {"size": 2.50}}'])
    assert "size = 2.50" in house.read("terraform.tfvars")


def test_a_secret_is_written_as_its_reference(house, configure):
    configure("network", "openvpn", "database", sets=["database.api_token=env:TOKEN"])
    assert 'api_token = "env:TOKEN"' in house.read("terraform.tfvars")


def test_nothing_is_written_while_the_files_have_other_mistakes(house, configure):
    house.environment(values=house.read("terraform.tfvars") + "stray = 1\n")
    assert "`stray` is neither a common input nor a unit" in _refused(house, configure, "network", "openvpn")[0]


def test_a_wire_that_is_wrong_is_told_and_not_dropped(house, configure):
    wires = ["opnvpn.vpc_id=network.vpc_id"]
    assert "did you mean `openvpn`?" in _refused(house, configure, "network", "openvpn", wires=wires)[0]
    house.environment(house.read("environment.yaml").replace("network.vpc_id", "netwrok.vpc_id"))
    assert "did you mean `network`?" in _refused(house, configure, "network", "openvpn")[0]


def test_a_wire_that_the_operator_made_stays(house, configure):
    house.environment(
        house.read("environment.yaml")
        .replace("  network: {}", "  network: {}\n  second: {module: network}")
        .replace("network.vpc_id", "second.vpc_id")
    )
    before = house.tree()
    configure("network", "second", "openvpn")
    assert house.tree() == before


def test_200_000_characters_are_written_and_read(house, configure):
    long = '\u00e4${"' * 50_000
    configure(sets=[f"openvpn.instance_type={json.dumps(long)}"])
    assert house.resolve().bindings["openvpn"].inputs["instance_type"].value == long
