"""Any choice of the catalogue's modules: a legal one gives the same roots however it is named, others are refused."""

from dataclasses import replace
from graphlib import TopologicalSorter

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ngp import shipped, yaml
from ngp.catalogue.module import Catalogue
from ngp.environments import documents, drafting, drafts, resolving, tfvars
from ngp.environments.environment import Platform, StateKind
from ngp.rendering import roots
from tests import compositions

DOCUMENT = 'target: sandbox\naccount: "123456789012"\nregion: eu-central-1\ndomain: dev.example.com\n'
KNOWN = compositions.catalogue().modules
# Deferred: the modules are read when a test runs, not by each worker that only collects.
CHOICES = st.deferred(lambda: st.lists(st.sampled_from(sorted(KNOWN)), min_size=1, unique=True))
USERS = st.deferred(lambda: st.sampled_from([(one, each) for one in KNOWN for each in KNOWN[one].manifest.requires]))
quick = settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def lab(tmp_path):
    """A platform with the master lock and an empty environment, `dev`."""
    (tmp_path / ".terraform.lock.hcl").write_text(shipped.lock_file().read_text())
    return Platform(tmp_path, "lab", state=StateKind.LOCAL)


def subject(lab, catalogue=None, document=DOCUMENT):
    path = lab.environment_path("dev") / documents.FILE
    environment = documents.read(lab, "dev", yaml.parse(document, path))
    return drafts.Subject(lab, environment, catalogue or compositions.catalogue(), document, "")


def draft(asked, chosen, **more):
    """The draft of a choice; where several units could feed an input, the first does."""
    choice = drafts.Choice(units={name: name for name in chosen}, **more)
    made = drafting.prepare(asked, choice)
    wires = {each.key: min(each.choices, key=str) for each in made.questions if each.choices}
    return drafting.prepare(asked, replace(choice, wires=wires)) if wires else made


def resolve(asked, made):
    """What the files of a draft mean."""
    document, values = (asked.environment.path / name for name in (documents.FILE, tfvars.FILE))
    environment = documents.read(asked.platform, "dev", yaml.parse(made.files[document], document))
    return resolving.assemble(asked.platform, environment, asked.catalogue, tfvars.parse(made.files[values], values))


@quick
@given(st.data())
def test_a_legal_choice_gives_the_same_roots_in_any_order(lab, data):
    chosen = data.draw(CHOICES)
    assume(compositions.is_legal(KNOWN, chosen))
    shuffled = data.draw(st.permutations(chosen))
    rendered = []
    for names in (chosen, shuffled):
        asked = subject(lab)
        made = draft(asked, names, dummies=True)
        assert (made.findings, made.questions) == ((), ())
        resolved = resolve(asked, made)
        assert set(resolved.environment.units) == compositions.closure(KNOWN, chosen)[0]
        rendered.append(dict(roots.render(resolved)))
    assert rendered[0] == rendered[1]


@quick
@given(CHOICES)
def test_a_legal_choice_has_every_need_wired_and_no_circle(lab, chosen):
    assume(compositions.is_legal(KNOWN, chosen))
    asked = subject(lab)
    resolved = resolve(asked, draft(asked, chosen, dummies=True))
    waves = list(TopologicalSorter(resolved.edges).static_order())
    assert set(waves) == set(resolved.environment.units)
    for unit, wires in resolved.environment.wiring.items():
        for name, ref in wires.items():
            assert name in KNOWN[unit].manifest.requires
            assert ref.output in KNOWN[ref.unit].outputs
            assert waves.index(ref.unit) < waves.index(unit)


@quick
@given(CHOICES)
def test_a_choice_worked_out_once_is_worked_out(lab, chosen):
    assume(compositions.is_legal(KNOWN, chosen))
    asked = subject(lab)
    made = draft(asked, chosen, dummies=True)
    texts = {path.name: text for path, text in made.files.items()}
    again = replace(subject(lab, document=texts[documents.FILE]), tfvars=texts[tfvars.FILE])
    assert dict(drafting.prepare(again, drafts.Choice()).files) == dict(made.files)


@quick
@given(st.data())
def test_modules_that_conflict_are_refused_with_the_reason(lab, data):
    """Also where a module that came along is one of the two, and whichever of the manifests says so."""
    chosen = data.draw(CHOICES)
    units, unmet = compositions.closure(KNOWN, chosen)
    assume(len(units) > 1 and not unmet)
    one, other = data.draw(st.permutations(sorted(units)))[:2]
    said = replace(KNOWN[one].manifest, conflicts={other: "both want the same port"})
    catalogue = Catalogue(compositions.ROOT / "modules", {**KNOWN, one: replace(KNOWN[one], manifest=said)})
    made = draft(subject(lab, catalogue), chosen, dummies=True)
    first, second = sorted((one, other))
    what = f"`{first}` and `{second}` cannot be used in one environment"
    assert (what, "both want the same port") in {(each.what, each.why) for each in made.findings}


def test_the_conflicts_of_the_catalogue_are_refused(lab):
    pairs = compositions.conflicts(KNOWN, KNOWN)
    assert ("swarm", "dcos") in pairs
    for one, other in pairs:
        made = draft(subject(lab), (one, other), dummies=True)
        first, second = sorted((one, other))
        told = (f"`{first}` and `{second}` cannot be used in one environment", KNOWN[one].manifest.conflicts[other])
        assert told in {(each.what, each.why) for each in made.findings}


@quick
@given(USERS)
def test_a_need_that_nothing_meets_is_asked_for_by_name(lab, user):
    name, needed = user
    lacking = {each: module for each, module in KNOWN.items() if needed not in module.outputs or each == name}
    made = draft(subject(lab, Catalogue(compositions.ROOT / "modules", lacking)), [name])
    asked = [each for each in made.questions if each.key[-1] == needed]
    assert len(asked) == 1
    finding = asked[0].finding()
    assert "has no value" in finding.what
    assert finding.why == f"description: {KNOWN[name].variables[needed].description}"
    assert finding.todo == f"pass --set {asked[0].name}=VALUE"


@quick
@given(USERS)
def test_a_need_that_several_modules_meet_names_them_all(lab, user):
    name, needed = user
    (first, *_) = compositions.providers(KNOWN, needed, name)
    twin = replace(KNOWN[first], name="twin")
    catalogue = Catalogue(compositions.ROOT / "modules", {**KNOWN, "twin": twin})
    made = draft(subject(lab, catalogue), [name], dummies=True)
    told = [each.what for each in made.findings if each.what.startswith(f"`{name}` needs `{needed}`")]
    assert len(told) == 1
    assert f"`{first}`" in told[0]
    assert "`twin`" in told[0]
