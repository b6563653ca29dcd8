import pytest

from ngp.ci.events import CISystem, Event, EventKind
from ngp.ci.tiers import Tier, choose, flags
from ngp.forges.github import GitHub
from ngp.forges.rest import Route
from tests.doubles.forge import TOKEN, serve

HEAD, NEWER = "a" * 40, "b" * 40


@pytest.fixture
def fake():
    with serve() as made:
        made.pulls, made.writers = {12: {"head": HEAD, "base": "c" * 40, "is_fork": True}}, {"anna"}
        yield made


def tier(fake, actor="anna", ordered=HEAD, checked_out=HEAD):
    event = Event(CISystem.GITHUB, EventKind.COMMENT, 12, is_fork=True, actor=actor, ordered=ordered)
    return choose(event, GitHub(fake.url, "team/platform", TOKEN, Route()), checked_out)


def test_a_member_who_names_the_head_authorises_it(fake):
    assert tier(fake) == (Tier.MEMBER, "anna ordered one plan of aaaaaaaaaaaa")


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"actor": "mallory"}, "cannot push"),
        ({"ordered": ""}, "with a full commit id"),
        ({"ordered": NEWER}, "the newest commit is"),
        ({"checked_out": NEWER}, "is checked out"),
    ],
)
def test_anything_else_authorises_nothing(fake, how, why):
    found, told = tier(fake, **how)
    assert found is Tier.STRANGER
    assert why in told


def test_a_push_voids_an_authorisation(fake):
    fake.pulls[12]["head"] = NEWER
    assert tier(fake)[0] is Tier.STRANGER


@pytest.mark.parametrize(("is_fork", "expected"), [(True, Tier.STRANGER), (False, Tier.MEMBER)])
def test_a_pull_request_is_trusted_as_its_author(fake, is_fork, expected):
    event = Event(CISystem.GITHUB, EventKind.PULL_REQUEST, 12, HEAD, is_fork=is_fork)
    assert choose(event, GitHub(fake.url, "team/platform", TOKEN, Route()), HEAD)[0] is expected


def test_what_runs_code_in_a_plan_is_flagged(tmp_path):
    (tmp_path / "modules/app").mkdir(parents=True)
    (tmp_path / "modules/app/app.tf").write_text(
        'terraform {\n  required_providers {\n    aws = {\n      source = "hashicorp/aws"\n    }\n'
        '    shell = {\n      source = "evil/shell"\n    }\n  }\n}\n'
        'data "external" "x" {\n  program = ["sh"]\n}\n'
        'resource "terraform_data" "y" {\n  provisioner "local-exec" {\n    command = "id"\n  }\n}\n'
    )
    (tmp_path / "modules/app/bad.tf").write_text("resource {{{")
    (tmp_path / "modules/app/link.tf").symlink_to("/etc/passwd")
    changed = ["modules/app/app.tf", "modules/app/bad.tf", "modules/app/link.tf", "modules/app/gone.tf"]
    found = flags(tmp_path, [*changed, "templates/root/main.tf.j2", ".terraform.lock.hcl", "README.md"])
    assert [(one.where, one.what) for one in found] == [
        (".terraform.lock.hcl", "the locked providers changed"),
        ("modules/app/app.tf:6", "this file requires the provider shell"),
        ("modules/app/app.tf:11", "an `external` data source runs a program in every plan"),
        ("modules/app/app.tf:15", "a provisioner runs a program: local-exec"),
        ("modules/app/bad.tf", "ngp cannot check this file"),
        ("modules/app/link.tf", "ngp cannot check this file"),
        ("templates/root/main.tf.j2", "a template changed"),
    ]
