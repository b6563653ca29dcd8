"""A plan that names a folder of this machine makes no bundle."""

from pathlib import Path

import pytest

from ngp.errors import RefusedError
from ngp.runs.bundle import portable
from ngp.runs.bundle.reviews import ReviewedUnit
from ngp.runs.outcomes import Outcome
from ngp.runs.results import UnitResult
from ngp.terraform.plans import Action, Change, OutputChange

HERE = "/srv/checkout/platform"


@pytest.fixture
def context(mocker):
    found = mocker.Mock()
    found.resolved.platform.path = Path(HERE)
    found.tree.folder = Path(f"{HERE}/.ngp/previews/dev")
    return found


def unit(after, before=None, outputs=None):
    change = Change("module.app.thing.one", "thing", Action.UPDATE if before else Action.CREATE, before, after)
    return ReviewedUnit(UnitResult("app", "app", 1, Outcome.PLANNED, changes=(change,), outputs=outputs or {}), None)


@pytest.mark.parametrize(
    "after",
    [
        {"input": f"{HERE}/modules/app"},
        {"nested": [{"command": f"sh {HERE}/x.sh"}]},
        {"input": f"{HERE}/.ngp/previews/dev/modules"},
        {"source": "/srv/package.zip"},
        {"filename": "/srv/function.zip"},
    ],
)
def test_a_folder_of_this_machine_is_refused(context, after):
    with pytest.raises(RefusedError, match=r"module\.app\.thing\.one"):
        portable.require(context, [unit(after)])


@pytest.mark.parametrize(
    ("after", "before"),
    [
        ({"input": "/etc/nginx/nginx.conf"}, None),
        ({"source": "../../modules/app/files/page.html"}, None),
        ({"source": "/srv/package.zip", "size": 2}, {"source": "/srv/package.zip", "size": 1}),
        ({"input": f"{HERE}/x", "size": 2}, {"input": f"{HERE}/x", "size": 1}),
        (None, {"source": "/srv/package.zip"}),
    ],
)
def test_other_paths_and_values_that_stay_are_not(context, after, before):
    portable.require(context, [unit(after, before)])


def test_an_output_counts_too(context):
    outputs = {"where": OutputChange("where", Action.CREATE, None, f"{HERE}/modules/app")}
    with pytest.raises(RefusedError, match=r"the output app\.where"):
        portable.require(context, [unit({}, outputs=outputs)])


def test_an_output_that_names_no_folder_of_it_is_not_refused(context):
    outputs = {"where": OutputChange("where", Action.CREATE, None, f"{HERE}-of-others/modules/app")}
    portable.require(context, [unit({}, outputs=outputs)])
