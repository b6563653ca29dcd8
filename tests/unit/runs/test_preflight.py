"""What an account must have before: quotas with room, accepted terms; and what AWS does not say."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from ngp.aws.failures import DeniedError
from ngp.catalogue.module import Manifest
from ngp.errors import MissingError, NgpError
from ngp.runs import preflight

VPC = "vpc/L-F678F1CE"
METRIC = {
    "MetricNamespace": "AWS/Usage",
    "MetricName": "ResourceCount",
    "MetricDimensions": {"Service": "EC2", "Class": "None"},
    "MetricStatisticRecommendation": "Maximum",
}
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Account:
    """Answers by operation; an exception is raised."""

    def __init__(self, **answers):
        self.answers, self.asked = answers, []

    def call(self, service, operation, *, absent=(), **parameters):
        self.asked.append((f"{service}:{operation}", parameters))
        answer = self.answers[operation]
        if isinstance(answer, Exception):
            raise answer
        return answer


def quota(value, **more):
    return {"Quota": {"QuotaName": "VPCs per Region", "Value": value, **more}}


def used(*numbers):
    points = [{"Timestamp": NOW + timedelta(hours=each), "Maximum": number} for each, number in enumerate(numbers)]
    return {"Datapoints": points[::-1]}


def test_a_quota_is_asked_of_its_service_and_what_is_used_of_it_by_its_own_metric():
    account = Account(get_service_quota=quota(5.0, UsageMetric=METRIC), get_metric_statistics=used(1, 3, 2))
    assert preflight.describe_quota(account, VPC) == f"VPCs per Region ({VPC}): 5, 2 used"
    assert account.asked[0] == ("service-quotas:get_service_quota", {"ServiceCode": "vpc", "QuotaCode": "L-F678F1CE"})
    dimensions = [{"Name": "Service", "Value": "EC2"}, {"Name": "Class", "Value": "None"}]
    assert account.asked[1][1]["Dimensions"] == dimensions
    assert account.asked[1][1]["Statistics"] == ["Maximum"]


def test_a_quota_without_a_metric_is_told_with_its_limit():
    assert preflight.describe_quota(Account(get_service_quota=quota(5.0)), VPC).endswith(": 5, AWS counts no use")


def test_a_quota_that_is_used_up_is_missing_with_the_way_to_more():
    account = Account(get_service_quota=quota(5.0, UsageMetric=METRIC), get_metric_statistics=used(5))
    with pytest.raises(MissingError) as caught:
        preflight.describe_quota(account, VPC)
    (finding,) = caught.value.findings
    assert finding.what == f"VPCs per Region ({VPC}): all 5 are used"
    assert "--service-code vpc --quota-code L-F678F1CE" in finding.todo


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (DeniedError("the credentials do not allow it"), f"{VPC}: not checked, the credentials do not allow it"),
        (NgpError("AWS refuses a call", why="NoSuchResourceException: x"), f"{VPC}: AWS does not report it (NoSuchRes"),
    ],
)
def test_what_aws_does_not_say_is_said_and_keeps_nobody_from_going_on(error, says):
    assert preflight.describe_quota(Account(get_service_quota=error), VPC).startswith(says)


def test_an_account_that_cannot_be_reached_is_missing():
    with pytest.raises(MissingError):
        preflight.describe_quota(Account(get_service_quota=MissingError("AWS cannot be reached")), VPC)


IMAGES = {"Images": [{"ImageId": "ami-old", "CreationDate": "2024"}, {"ImageId": "ami-new", "CreationDate": "2025"}]}


def test_terms_are_looked_at_by_a_dry_run_of_the_newest_image():
    account = Account(describe_images=IMAGES, run_instances=None)
    assert preflight.describe_terms(account, "f2ew") == "f2ew: a machine of it may be started"
    asked = account.asked[1][1]
    assert (asked["ImageId"], asked["DryRun"]) == ("ami-new", True)


def test_terms_that_are_not_accepted_are_missing():
    refusal = NgpError("AWS refuses a call", why="OptInRequired: you need to accept terms")
    with pytest.raises(MissingError, match="the terms of f2ew are not accepted") as caught:
        preflight.describe_terms(Account(describe_images=IMAGES, run_instances=refusal), "f2ew")
    assert caught.value.findings[0].todo.endswith("?sku=f2ew")


@pytest.mark.parametrize(
    "error", [DeniedError("may not"), NgpError("AWS refuses a call", why="VPCIdNotSpecified: no default VPC")]
)
def test_a_dry_run_that_fails_otherwise_tells_nothing(error):
    says = preflight.describe_terms(Account(describe_images=IMAGES, run_instances=error), "f2ew")
    assert says.startswith("f2ew: AWS does not report it (")
    nothing = preflight.describe_terms(Account(describe_images={"Images": []}), "f2ew")
    assert nothing == "f2ew: no image of it in this region"


def environment(value):
    asked = ("marketplace:engine=appliance", f"quota:{VPC}")
    manifest = Manifest("V", "V", "v", marketplace=("f2ew",), preflight=asked)
    engine = SimpleNamespace(default="community")
    module = SimpleNamespace(name="vpn", manifest=manifest, variables={"engine": engine})
    binding = SimpleNamespace(value=value)
    return SimpleNamespace(
        environment=SimpleNamespace(units={name: SimpleNamespace(module="vpn") for name in ("a", "b")}),
        catalogue=SimpleNamespace(modules={"vpn": module}),
        bindings={"a": SimpleNamespace(inputs={"engine": binding}), "b": SimpleNamespace(inputs={"engine": binding})},
    )


def test_a_quota_of_several_units_is_looked_at_once():
    assert preflight.quotas(environment(None)) == {VPC: ["a", "b"]}


@pytest.mark.parametrize(("value", "found"), [("appliance", {"f2ew": ["a", "b"]}), ("community", {}), (None, {})])
def test_a_product_is_needed_where_the_unit_is_set_so(value, found):
    assert preflight.products(environment(value)) == found
