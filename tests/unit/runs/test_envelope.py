import pytest

from ngp.runs.envelope import surplus
from ngp.terraform.plans import Action, Change


def change(action, address="module.a.aws_vpc.x", **more):
    return Change(address, "aws_vpc", action, **more)


@pytest.mark.parametrize(
    ("previewed", "real", "fits"),
    [
        (Action.CREATE, Action.CREATE, True),
        (Action.CREATE, Action.NO_OP, True),
        (Action.UPDATE, Action.UPDATE, True),
        (Action.UPDATE, Action.NO_OP, True),
        (Action.REPLACE, Action.REPLACE, True),
        (Action.REPLACE, Action.UPDATE, True),
        (Action.REPLACE, Action.NO_OP, True),
        (Action.DELETE, Action.DELETE, True),
        (Action.FORGET, Action.FORGET, True),
        (Action.NO_OP, Action.UPDATE, False),
        (Action.NO_OP, Action.CREATE, False),
        (Action.UPDATE, Action.REPLACE, False),
        (Action.UPDATE, Action.DELETE, False),
        (Action.CREATE, Action.UPDATE, False),
        (Action.CREATE, Action.REPLACE, False),
        (Action.REPLACE, Action.CREATE, False),
        (Action.REPLACE, Action.DELETE, False),
        (Action.DELETE, Action.FORGET, False),
        (Action.UNKNOWN, Action.UNKNOWN, False),
        (Action.CREATE, Action.UNKNOWN, False),
    ],
)
def test_a_real_plan_may_do_less_but_never_more(previewed, real, fits):
    assert (surplus([change(previewed)], [change(real)]) == ()) is fits


def test_an_address_may_drop_out():
    assert surplus([change(Action.CREATE), change(Action.DELETE, "b")], []) == ()


def test_a_new_address_is_told_with_what_it_would_do():
    (one,) = surplus([], [change(Action.DELETE)])
    assert str(one) == "module.a.aws_vpc.x: delete was not previewed"


def test_a_stronger_action_names_what_was_previewed():
    (one,) = surplus([change(Action.UPDATE)], [change(Action.REPLACE)])
    assert str(one) == "module.a.aws_vpc.x: replace was previewed as update"


def test_reads_of_data_do_not_count():
    assert surplus([], [change(Action.READ, "data.aws_ami.x", mode="data")]) == ()


def test_an_import_must_have_been_previewed():
    assert surplus([change(Action.NO_OP)], [change(Action.NO_OP, importing=True)])
    assert surplus([change(Action.NO_OP, importing=True)], [change(Action.NO_OP, importing=True)]) == ()
