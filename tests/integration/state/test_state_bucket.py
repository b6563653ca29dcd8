"""The state's bucket: planned, made, mended, and left alone where it is not ours."""

import json

import pytest

from ngp.aws import access
from ngp.aws.session import Session
from ngp.errors import MissingError
from ngp.state import bucket, reading
from ngp.state.locations import StateLocation

pytestmark = pytest.mark.sandbox
ALL = ("public_access_block", "ownership", "encryption", "versioning", "tags", "tls_only", "lifecycle")


@pytest.fixture
def of(sandbox):
    return lambda account, region="eu-central-1": Session(access.sandbox({}, sandbox.url, region, account))


@pytest.fixture
def made(of, request):
    """A session, and the place in a bucket that `bootstrap` made for this test."""
    session = of("123456789012")
    place = at(f"made-{abs(hash(request.node.name))}")
    bucket.bootstrap(session, bucket.plan(session, place))
    return session, place


def at(name, region="eu-central-1"):
    return StateLocation("s3", name, "environments/dev/network.tfstate", region)


@pytest.mark.parametrize("region", ["eu-central-1", "us-east-1"])
def test_plan_of_a_missing_bucket_says_all_and_does_nothing(of, region):
    session, place = of("123456789012", region), at(f"missing-{region}", region)
    plan = bucket.plan(session, place)
    assert (plan.bucket, plan.exists, plan.lacks) == (place.bucket, False, ALL)
    assert str(plan).startswith(f"create the state bucket missing-{region} in {region}\n  + block all public access")
    assert not bucket.exists(session, place)

    bucket.bootstrap(session, plan)
    again = bucket.plan(session, place)
    assert again.is_empty
    assert "lacks nothing" in str(again)
    bucket.bootstrap(session, again)
    bucket.bootstrap(session, plan)
    assert bucket.plan(session, place).is_empty


def test_bucket_is_what_the_plan_said(made):
    session, place = made

    def get(operation):
        return session.call("s3", operation, Bucket=place.bucket)

    assert get("get_bucket_versioning")["Status"] == "Enabled"
    assert all(get("get_public_access_block")["PublicAccessBlockConfiguration"].values())
    rule = get("get_bucket_encryption")["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert get("get_bucket_ownership_controls")["OwnershipControls"]["Rules"] == [
        {"ObjectOwnership": "BucketOwnerEnforced"}
    ]
    statement = json.loads(get("get_bucket_policy")["Policy"])["Statement"][0]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert statement["Resource"] == [f"arn:aws:s3:::{place.bucket}", f"arn:aws:s3:::{place.bucket}/*"]
    assert {"Key": "ManagedBy", "Value": "ngp"} in get("get_bucket_tagging")["TagSet"]
    assert get("get_bucket_location")["LocationConstraint"] == "eu-central-1"


@pytest.mark.parametrize(
    ("setting", "operation", "parameters"),
    [
        ("public_access_block", "delete_public_access_block", {}),
        ("ownership", "delete_bucket_ownership_controls", {}),
        ("encryption", "delete_bucket_encryption", {}),
        ("versioning", "put_bucket_versioning", {"VersioningConfiguration": {"Status": "Suspended"}}),
        ("tags", "delete_bucket_tagging", {}),
        ("tls_only", "delete_bucket_policy", {}),
    ],
)
def test_what_was_taken_away_is_planned_and_put_back(made, setting, operation, parameters):
    session, place = made
    session.call("s3", operation, Bucket=place.bucket, **parameters)
    plan = bucket.plan(session, place)
    assert (plan.exists, plan.lacks) == (True, (setting,))
    assert str(plan).startswith("change the state bucket")
    bucket.bootstrap(session, plan)
    assert bucket.plan(session, place).is_empty


def test_what_the_operator_set_stays(of):
    session, place = of("123456789012"), at("of-the-operator")
    region = {"CreateBucketConfiguration": {"LocationConstraint": "eu-central-1"}}
    session.call("s3", "create_bucket", Bucket=place.bucket, **region)
    own = {"Sid": "Own", "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteBucket", "Resource": "*"}
    stale = {"Sid": "DenyInsecureTransport", "Effect": "Deny", "Principal": "*", "Action": "s3:Get*", "Resource": "*"}
    session.call("s3", "put_bucket_policy", Bucket=place.bucket, Policy=json.dumps({"Statement": [own, stale]}))
    session.call("s3", "put_bucket_tagging", Bucket=place.bucket, Tagging={"TagSet": [{"Key": "Team", "Value": "x"}]})

    bucket.bootstrap(session, bucket.plan(session, place))
    assert bucket.plan(session, place).is_empty
    statements = json.loads(session.call("s3", "get_bucket_policy", Bucket=place.bucket)["Policy"])["Statement"]
    assert [statement["Sid"] for statement in statements] == ["Own", "DenyInsecureTransport"]
    assert statements[0] == own
    tags = session.call("s3", "get_bucket_tagging", Bucket=place.bucket)["TagSet"]
    assert {"Key": "Team", "Value": "x"} in tags


def test_bucket_of_another_account_is_there_but_not_ours(of):
    place = at("of-somebody-else")
    bucket.bootstrap(of("999999999999"), bucket.plan(of("999999999999"), place))
    of("999999999999").put_object(place.bucket, place.key, b"{}")
    for look in (bucket.plan, bucket.exists, lambda session, place: reading.read(place, session)):
        with pytest.raises(MissingError, match="exists, but the credentials may not read it") as caught:
            look(of("123456789012"), place)
        assert caught.value.exit_code == 69
        assert "state_bucket" in caught.value.findings[0].todo


def test_name_with_our_account_must_be_our_accounts_bucket(mocker):
    session = Session({"AWS_REGION": "eu-central-1"})
    mocker.patch.object(Session, "account_id", return_value="123456789012")
    call = mocker.patch.object(Session, "call", return_value={})
    bucket.exists(session, at("shop-tfstate-123456789012-eu-central-1"))
    assert call.call_args.kwargs["ExpectedBucketOwner"] == "123456789012"
    bucket.exists(session, at("shared-states"))
    assert "ExpectedBucketOwner" not in call.call_args.kwargs


def test_state_is_read_from_the_bucket_and_absent_without_it(made):
    session, place = made
    assert reading.read(place, session) is None
    session.put_object(place.bucket, place.key, '{"version": 4, "name": "Zürich"}'.encode())
    assert reading.read(place, session) == '{"version": 4, "name": "Zürich"}'
    assert reading.read(at("no-such-bucket"), session) is None
    assert reading.holder(at("no-such-bucket"), session) is None
