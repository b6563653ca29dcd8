"""Random legal choices of the catalogue's modules, before real Terraform: valid, planned, alike in both state modes."""

import shutil

import pytest

from ngp import files
from ngp.environments import drafting, drafts, platforms
from tests import compositions

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox, pytest.mark.slow]
KNOWN = compositions.catalogue().modules
ENVIRONMENT = 'target: sandbox\naccount: "123456789012"\nregion: eu-central-1\ndomain: lab.example.test\n'


@pytest.fixture(scope="module")
def lab(tmp_path_factory, ngp_in):
    """A platform with the whole catalogue; its sandbox ends with it."""
    path = tmp_path_factory.mktemp("lab")
    shutil.copytree(compositions.ROOT / "modules", path / "modules", ignore=shutil.ignore_patterns(".terraform*"))
    shutil.copy(compositions.ROOT / ".terraform.lock.hcl", path)
    (path / "ngp.yaml").write_text("name: lab\nstate: local\n")
    yield ngp_in(path)
    ngp_in(path).run("sandbox", "stop")


def configure(ngp, chosen, more=""):
    """Make `lab` anew, of exactly this choice, its values those of NAME.dummy."""
    folder = ngp.cwd / "environments" / "lab"
    shutil.rmtree(folder, ignore_errors=True)
    files.write(folder / "environment.yaml", ENVIRONMENT + more)
    subject = drafts.read(platforms.load(ngp.cwd), "lab")
    draft = drafting.prepare(subject, drafts.Choice(units={name: name for name in chosen}, dummies=True))
    assert (draft.findings, draft.questions) == ((), ())
    files.write_all(dict(draft.files))
    told(ngp, "render", "lab")


def told(ngp, *argv):
    done = ngp.call(*argv)
    assert done.exit_code == 0, (argv, done.stdout[-2000:], done.stderr[-2000:])
    return done


def planned(ngp):
    """The addresses that a plan of the whole environment makes; nothing may be left out of it."""
    document = told(ngp, "plan", "lab", "--json").document
    assert {unit["outcome"] for unit in document["units"]} == {"changes"}
    return {change["address"] for unit in document["units"] for change in unit["changes"]}


@pytest.mark.parametrize("seed", [1, 2])
def test_a_random_choice_is_valid_and_planned(lab, seed):
    chosen = compositions.pick(KNOWN, seed, 2)
    configure(lab, chosen)
    assert told(lab, "validate", "lab", "--json").document["findings"] == []
    units = compositions.closure(KNOWN, chosen)[0]
    assert {address.split(".")[1] for address in planned(lab)} == units


def test_one_state_for_all_plans_what_a_state_for_each_module_plans(lab):
    chosen = compositions.pick(KNOWN, 3, 3)
    found = []
    for mode in ("per-module", "single"):
        configure(lab, chosen, f"state: {mode}\n")
        found.append(planned(lab))
    assert found[0] == found[1]
    assert len(found[0]) > 20
