"""What the state bucket lacks, and how it gets that without touching what else it has."""

import json

import pytest

from ngp.aws.failures import DeniedError
from ngp.errors import MissingError, NgpError
from ngp.state import bucket
from ngp.state.locations import StateLocation

ACCOUNT = "123456789012"
PLACE = StateLocation("s3", f"demo-tfstate-{ACCOUNT}-eu-central-1", "environments/dev/a.tfstate", "eu-central-1")
ALL = ("public_access_block", "ownership", "encryption", "versioning", "tags", "tls_only", "lifecycle")
OTHER_RULE = {"ID": "theirs", "Status": "Enabled"}
OTHER_STATEMENT = {"Sid": "Theirs", "Effect": "Allow"}


class Settings:
    """The settings of one bucket, as S3 stores and returns them."""

    _ABSENT = {
        "get_public_access_block": "NoSuchPublicAccessBlockConfiguration",
        "get_bucket_ownership_controls": "OwnershipControlsNotFoundError",
        "get_bucket_encryption": "ServerSideEncryptionConfigurationNotFoundError",
        "get_bucket_versioning": "",
        "get_bucket_tagging": "NoSuchTagSet",
        "get_bucket_policy": "NoSuchBucketPolicy",
        "get_bucket_lifecycle_configuration": "NoSuchLifecycleConfiguration",
        "head_bucket": "404",
    }
    _ARGUMENTS = {
        "put_bucket_encryption": lambda given: given,
        "put_bucket_versioning": lambda given: given["VersioningConfiguration"],
        "put_bucket_tagging": lambda given: given["Tagging"],
        "put_bucket_lifecycle_configuration": lambda given: given["LifecycleConfiguration"],
    }

    def __init__(self, **found):
        self.found, self.calls, self.refused = found, [], {}

    def account_id(self):
        return ACCOUNT

    def call(self, _service, operation, *, absent=(), Bucket, **given):  # noqa: N803  AWS's name
        self.calls.append((operation, given))
        if operation in self.refused:
            raise self.refused[operation]
        if operation == "create_bucket":
            self.found["head_bucket"] = {}
        elif operation.startswith("put_"):
            self.found[f"get_{operation[4:]}"] = self._ARGUMENTS.get(operation, lambda given: given)(given)
        elif operation not in self.found:
            code = self._ABSENT[operation]
            assert not code or code in absent, f"{operation} of a bucket without it fails"
            return None if code else {}
        return self.found.get(operation, {})


@pytest.fixture
def settings():
    return Settings()


@pytest.fixture
def made(settings):
    """A bucket that has everything."""
    bucket.bootstrap(settings, bucket.plan(settings, PLACE))
    settings.calls.clear()
    return settings


def test_a_missing_bucket_lacks_everything(settings):
    plan = bucket.plan(settings, PLACE)
    assert (plan.exists, plan.lacks, plan.is_empty) == (False, ALL, False)
    assert str(plan).splitlines()[0] == f"create the state bucket {PLACE.bucket} in eu-central-1"
    assert len(str(plan).splitlines()) == 8


def test_a_bucket_with_everything_lacks_nothing(made):
    plan = bucket.plan(made, PLACE)
    assert (plan.exists, plan.lacks, plan.is_empty) == (True, (), True)
    assert str(plan) == f"the state bucket {PLACE.bucket} is there and lacks nothing"
    assert not [operation for operation, _ in made.calls if operation.startswith(("put_", "create_"))]


def test_access_is_restricted_before_there_is_anything_to_read(settings):
    bucket.bootstrap(settings, bucket.plan(settings, PLACE))
    changes = [operation for operation, _ in settings.calls if operation.startswith(("put_", "create_"))]
    assert changes[:3] == ["create_bucket", "put_public_access_block", "put_bucket_ownership_controls"]


@pytest.mark.parametrize(
    ("region", "expected"),
    [("eu-central-1", {"CreateBucketConfiguration": {"LocationConstraint": "eu-central-1"}}), ("us-east-1", {})],
)
def test_only_the_first_region_of_aws_is_not_named(settings, region, expected):
    place = StateLocation("s3", "b", "k", region)
    bucket.bootstrap(settings, bucket.plan(settings, place))
    assert ("create_bucket", expected) in settings.calls


@pytest.mark.parametrize(
    ("operation", "weaker", "name"),
    [
        (
            "get_public_access_block",
            {"PublicAccessBlockConfiguration": {"BlockPublicAcls": True}},
            "public_access_block",
        ),
        (
            "get_bucket_ownership_controls",
            {"OwnershipControls": {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}},
            "ownership",
        ),
        ("get_bucket_encryption", {"ServerSideEncryptionConfiguration": {"Rules": []}}, "encryption"),
        ("get_bucket_versioning", {"Status": "Suspended"}, "versioning"),
        ("get_bucket_tagging", {"TagSet": [{"Key": "ManagedBy", "Value": "ngp"}]}, "tags"),
        ("get_bucket_policy", {"Policy": json.dumps({"Statement": OTHER_STATEMENT})}, "tls_only"),
        ("get_bucket_lifecycle_configuration", {"Rules": [OTHER_RULE]}, "lifecycle"),
    ],
)
def test_what_is_weaker_or_missing_is_named_and_put_right(made, operation, weaker, name):
    for found in (weaker, None):
        if found is None:
            del made.found[operation]
        else:
            made.found[operation] = found
        plan = bucket.plan(made, PLACE)
        assert plan.lacks == (name,)
        assert str(plan).startswith(f"change the state bucket {PLACE.bucket} in eu-central-1\n  + ")
        bucket.bootstrap(made, plan)
        assert bucket.plan(made, PLACE).is_empty


def test_an_encryption_of_the_operators_own_is_enough(made):
    made.found["get_bucket_encryption"] = {
        "ServerSideEncryptionConfiguration": {"Rules": [{"SSEAlgorithm": "aws:kms"}]}
    }
    assert bucket.plan(made, PLACE).is_empty


class TestWhatIsThere:
    """Nothing of the operator's is dropped where S3 replaces a whole setting."""

    def test_tags(self, made):
        made.found["get_bucket_tagging"] = {"TagSet": [{"Key": "Team", "Value": "x"}, {"Key": "Purpose", "Value": "y"}]}
        bucket.bootstrap(made, bucket.plan(made, PLACE))
        tags = {one["Key"]: one["Value"] for one in made.found["get_bucket_tagging"]["TagSet"]}
        assert tags == {"Team": "x", "ManagedBy": "ngp", "Purpose": "terraform-state"}

    @pytest.mark.parametrize("theirs", [[OTHER_STATEMENT], OTHER_STATEMENT])
    def test_statements_of_its_policy(self, made, theirs):
        made.found["get_bucket_policy"] = {"Policy": json.dumps({"Version": "2008-10-17", "Statement": theirs})}
        bucket.bootstrap(made, bucket.plan(made, PLACE))
        policy = json.loads(made.found["get_bucket_policy"]["Policy"])
        assert policy["Version"] == "2008-10-17"
        assert [one["Sid"] for one in policy["Statement"]] == ["Theirs", "DenyInsecureTransport"]

    def test_an_older_rule_of_ngp_is_replaced(self, made):
        old = {"Sid": "DenyInsecureTransport", "Effect": "Deny", "Resource": "old"}
        made.found["get_bucket_policy"] = {"Policy": json.dumps({"Statement": [old]})}
        bucket.bootstrap(made, bucket.plan(made, PLACE))
        (only,) = json.loads(made.found["get_bucket_policy"]["Policy"])["Statement"]
        assert only["Resource"] == [f"arn:aws:s3:::{PLACE.bucket}", f"arn:aws:s3:::{PLACE.bucket}/*"]
        assert (only["Effect"], only["Principal"], only["Action"]) == ("Deny", "*", "s3:*")
        assert only["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}

    def test_lifecycle_rules_and_no_rule_deletes_states(self, made):
        made.found["get_bucket_lifecycle_configuration"] = {"Rules": [OTHER_RULE]}
        bucket.bootstrap(made, bucket.plan(made, PLACE))
        theirs, ours = made.found["get_bucket_lifecycle_configuration"]["Rules"]
        assert theirs == OTHER_RULE
        assert (ours["Filter"], ours["Status"]) == ({"Prefix": "bundles/"}, "Enabled")
        assert ours["Expiration"]["Days"] > 30, "a bundle is valid for 30 days"


class TestExistence:
    def test_a_bucket_named_for_the_account_must_belong_to_it(self, settings):
        settings.found["head_bucket"] = {}
        assert bucket.exists(settings, PLACE)
        assert bucket.exists(settings, StateLocation("s3", "ours", "k", "eu-central-1"))
        assert settings.calls == [("head_bucket", {"ExpectedBucketOwner": ACCOUNT}), ("head_bucket", {})]

    def test_one_that_may_not_be_read_is_no_missing_one(self, settings):
        settings.refused["head_bucket"] = DeniedError("no", why="403: Forbidden")
        with pytest.raises(MissingError, match="exists, but the credentials may not read it"):
            bucket.exists(settings, PLACE)

    def test_one_in_another_region_says_so(self, settings):
        settings.refused["head_bucket"] = NgpError("AWS refuses a call", why="301: Moved Permanently")
        with pytest.raises(MissingError, match="is in another region than eu-central-1"):
            bucket.exists(settings, PLACE)

    def test_other_errors_stay(self, settings):
        settings.refused["head_bucket"] = error = NgpError("AWS refuses a call", why="400: Bad Request")
        with pytest.raises(NgpError) as caught:
            bucket.exists(settings, PLACE)
        assert caught.value is error
