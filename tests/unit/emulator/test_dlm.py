"""The Data Lifecycle Manager beside moto: signed requests through the server's own dispatcher, in process."""

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError

from ngp.sandbox import emulator

ROLE = "arn:aws:iam::123456789012:role/dlm"
SCHEDULE = {
    "Name": "daily",
    "CreateRule": {"Interval": 24, "IntervalUnit": "HOURS", "Times": ["03:00"]},
    "RetainRule": {"Count": 7},
}
DETAILS = {"ResourceTypes": ["VOLUME"], "TargetTags": [{"Key": "Backup", "Value": "daily"}], "Schedules": [SCHEDULE]}
GIVEN = {"ExecutionRoleArn": ROLE, "Description": "Daily", "State": "ENABLED", "PolicyDetails": DETAILS}


class _Raw:
    """The body of an answer, as botocore reads it."""

    def __init__(self, body):
        self._body = body

    def stream(self, *_):
        yield self._body


@pytest.fixture
def server(patched):
    """A client of the dispatcher that the launcher serves."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.test import Client

    made = Client(DomainDispatcherApplication(create_backend_app))
    yield made
    assert made.post(emulator.RESET_PATH).status_code == 200


@pytest.fixture
def dlm(server):
    """Opens a client of DLM by account and region; its signed requests go to the dispatcher."""

    def send(request, **_):
        url = request.url.partition("amazonaws.com")[2]
        headers = {
            name: value.decode() if isinstance(value, bytes) else value for name, value in request.headers.items()
        }
        got = server.open(url, method=request.method, headers=headers, data=request.body)
        return AWSResponse(request.url, got.status_code, got.headers, _Raw(got.data))

    def connect(account="123456789012", region="eu-central-1"):
        keys = {"aws_access_key_id": account, "aws_secret_access_key": "sandbox"}
        client = boto3.client("dlm", region, **keys)
        client.meta.events.register("before-send.dlm", send)
        return client

    return connect


def test_policy_is_made_read_changed_and_deleted(dlm):
    client = dlm()
    name = client.create_lifecycle_policy(**GIVEN, Tags={"Team": "a"})["PolicyId"]
    made = client.get_lifecycle_policy(PolicyId=name)["Policy"]
    assert made.items() >= {"ExecutionRoleArn": ROLE, "Description": "Daily", "State": "ENABLED"}.items()
    assert (made["PolicyArn"], made["Tags"]) == (f"arn:aws:dlm:eu-central-1:123456789012:policy/{name}", {"Team": "a"})
    assert made["DateCreated"].utcoffset() is not None

    client.update_lifecycle_policy(
        PolicyId=name, State="DISABLED", PolicyDetails={**DETAILS, "ResourceTypes": ["INSTANCE"]}
    )
    changed = client.get_lifecycle_policy(PolicyId=name)["Policy"]
    assert (changed["State"], changed["Description"]) == ("DISABLED", "Daily")
    assert changed["PolicyDetails"]["ResourceTypes"] == ["INSTANCE"]

    client.delete_lifecycle_policy(PolicyId=name)
    for call in (client.get_lifecycle_policy, client.delete_lifecycle_policy):
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            call(PolicyId=name)


def test_what_was_not_said_of_a_policy_is_shown_as_dlm_fills_it_in(dlm):
    client = dlm()
    name = client.create_lifecycle_policy(**GIVEN)["PolicyId"]
    shown = client.get_lifecycle_policy(PolicyId=name)["Policy"]["PolicyDetails"]
    assert (shown["PolicyType"], shown["ResourceLocations"]) == ("EBS_SNAPSHOT_MANAGEMENT", ["CLOUD"])
    assert shown["Schedules"] == [{**SCHEDULE, "CreateRule": {"Location": "CLOUD", **SCHEDULE["CreateRule"]}}]


def test_default_policy_shows_what_it_was_given_among_its_details(dlm):
    client = dlm()
    given = {name: GIVEN[name] for name in ("ExecutionRoleArn", "Description", "State")}
    name = client.create_lifecycle_policy(**given, DefaultPolicy="VOLUME", CreateInterval=1)["PolicyId"]
    client.update_lifecycle_policy(PolicyId=name, RetainInterval=5)
    policy = client.get_lifecycle_policy(PolicyId=name)["Policy"]
    wanted = {"PolicyLanguage": "SIMPLIFIED", "ResourceType": "VOLUME", "CreateInterval": 1, "RetainInterval": 5}
    assert (policy["DefaultPolicy"], policy["PolicyDetails"]) == (True, wanted)


def test_policy_without_details_is_refused(dlm):
    given = {name: GIVEN[name] for name in ("ExecutionRoleArn", "Description", "State")}
    with pytest.raises(ClientError, match="InvalidRequestException.*PolicyDetails"):
        dlm().create_lifecycle_policy(**given)


def test_policies_are_listed_by_id_state_and_type(dlm):
    client = dlm()
    first = client.create_lifecycle_policy(**GIVEN)["PolicyId"]
    off = client.create_lifecycle_policy(**{**GIVEN, "State": "DISABLED"})["PolicyId"]

    def found(**asked):
        return [each["PolicyId"] for each in client.get_lifecycle_policies(**asked)["Policies"]]

    assert found() == [first, off]
    assert found(State="DISABLED") == found(PolicyIds=[off]) == [off]
    assert found(ResourceTypes=["VOLUME"]) == [first, off]
    assert found(ResourceTypes=["INSTANCE"]) == []


def test_policy_is_tagged(dlm):
    client = dlm()
    name = client.create_lifecycle_policy(**GIVEN, Tags={"Team": "a", "Cost": "1"})["PolicyId"]
    arn = client.get_lifecycle_policy(PolicyId=name)["Policy"]["PolicyArn"]
    client.tag_resource(ResourceArn=arn, Tags={"Team": "b"})
    client.untag_resource(ResourceArn=arn, TagKeys=["Cost"])
    assert client.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"Team": "b"}
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.tag_resource(ResourceArn=arn.replace("policy-", "policy-f"), Tags={"Team": "b"})


def test_accounts_and_regions_do_not_see_each_other_and_a_reset_empties_them(dlm, server):
    dlm().create_lifecycle_policy(**GIVEN)
    for other in (dlm(account="210987654321"), dlm(region="eu-west-1")):
        assert other.get_lifecycle_policies()["Policies"] == []
    assert len(dlm().get_lifecycle_policies()["Policies"]) == 1
    server.post(emulator.RESET_PATH)
    assert dlm().get_lifecycle_policies()["Policies"] == []


def test_other_services_are_motos(server):
    headers = {"Authorization": "AWS4-HMAC-SHA256 Credential=123456789012/20260101/eu-central-1/sts/aws4_request"}
    got = server.post("/", headers=headers, data={"Action": "GetCallerIdentity", "Version": "2011-06-15"})
    assert b"123456789012" in got.data
