"""A machine's session may do what its role allows: asked of the patched moto in this process."""

import json

import pytest
from botocore.exceptions import ClientError

from ngp_emulator.iam_resources import Request, context, find

MACHINE, PERSON = {"Service": "ec2.amazonaws.com"}, {"AWS": "*"}
HERE = "eu-central-1:123456789012"


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


@pytest.fixture
def session(client):
    """Makes a role with these statements, and opens clients with its session."""

    def make(*statements, principal=MACHINE, **more):
        iam = client("iam")
        trust = document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})
        role = iam.create_role(RoleName="machine", AssumeRolePolicyDocument=trust, **more)["Role"]
        if statements:
            iam.put_role_policy(RoleName="machine", PolicyName="own", PolicyDocument=document(*statements))
        return take(role["Arn"])

    def take(arn, **more):
        given = client("sts").assume_role(RoleArn=arn, RoleSessionName="i-1", **more)["Credentials"]
        keys = {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }
        return lambda service: client(service, **keys)

    make.take = take
    return make


def refused(call, code, **asked):
    with pytest.raises(ClientError) as caught:
        call(**asked)
    assert caught.value.response["Error"]["Code"] == code, caught.value.response
    return caught.value.response["Error"]["Message"]


def test_a_machine_reads_the_secret_that_its_role_allows_and_no_other(client, session):
    arns = [client("secretsmanager").create_secret(Name=each, SecretString=each)["ARN"] for each in ("own", "other")]
    reader = session(allow("secretsmanager:GetSecretValue", arns[0]))("secretsmanager")
    for name in (arns[0], "own"):
        assert reader.get_secret_value(SecretId=name)["SecretString"] == "own"
    said = refused(reader.get_secret_value, "AccessDeniedException", SecretId="other")
    assert "assumed-role/machine/i-1 is not authorized to perform: secretsmanager:GetSecretValue" in said
    refused(reader.put_secret_value, "AccessDeniedException", SecretId="own", SecretString="x")


def test_a_machine_reads_parameters_of_its_path_only(client, session):
    for name in ("/shop/a", "/shop/b", "/other/c"):
        client("ssm").put_parameter(Name=name, Value="v", Type="String")
    actions = ["ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath"]
    reader = session(allow(actions, [f"arn:aws:ssm:{HERE}:parameter/shop", f"arn:aws:ssm:{HERE}:parameter/shop/*"]))(
        "ssm"
    )
    assert reader.get_parameter(Name="/shop/a")["Parameter"]["Value"] == "v"
    assert len(reader.get_parameters_by_path(Path="/shop")["Parameters"]) == 2
    refused(reader.get_parameters_by_path, "AccessDeniedException", Path="/other")
    refused(reader.get_parameter, "AccessDeniedException", Name="/other/c")
    refused(reader.get_parameters, "AccessDeniedException", Names=["/shop/a", "/other/c"])


def test_a_machine_writes_below_its_prefix_of_a_bucket(client, session):
    place = {"CreateBucketConfiguration": {"LocationConstraint": "eu-central-1"}}
    client("s3").create_bucket(Bucket="shop", **place)
    listing = allow("s3:ListBucket", "arn:aws:s3:::shop", Condition={"StringLike": {"s3:prefix": "own/*"}})
    s3 = session(allow(["s3:PutObject", "s3:GetObject"], "arn:aws:s3:::shop/own/*"), listing)("s3")
    s3.put_object(Bucket="shop", Key="own/a", Body=b"x")
    assert s3.get_object(Bucket="shop", Key="own/a")["Body"].read() == b"x"
    assert s3.list_objects_v2(Bucket="shop", Prefix="own/a")["KeyCount"] == 1
    refused(s3.put_object, "AccessDenied", Bucket="shop", Key="b", Body=b"x")
    refused(s3.list_objects_v2, "AccessDenied", Bucket="shop")
    refused(s3.delete_object, "AccessDenied", Bucket="shop", Key="own/a")
    client("s3").put_object(Bucket="shop", Key="b", Body=b"x")


def test_a_machine_sends_metrics_of_its_namespace(session):
    named = {"StringEquals": {"cloudwatch:namespace": "ngp/shop"}}
    cloudwatch = session(allow("cloudwatch:PutMetricData", Condition=named))("cloudwatch")
    data = [{"MetricName": "kept", "Value": 1}]
    cloudwatch.put_metric_data(Namespace="ngp/shop", MetricData=data)
    with pytest.raises(ClientError, match="AccessDenied"):
        cloudwatch.put_metric_data(Namespace="other", MetricData=data)


def test_a_machine_changes_machines_by_their_tags(client, session):
    ec2 = client("ec2")
    image = ec2.describe_images()["Images"][0]["ImageId"]
    own, other = (each["InstanceId"] for each in ec2.run_instances(ImageId=image, MinCount=2, MaxCount=2)["Instances"])
    ec2.create_tags(Resources=[own], Tags=[{"Key": "Team", "Value": "a"}])
    tagged = {"StringEquals": {"aws:ResourceTag/Team": "a"}}
    machine = session(allow("ec2:StopInstances", f"arn:aws:ec2:{HERE}:instance/*", Condition=tagged))("ec2")
    machine.stop_instances(InstanceIds=[own])
    refused(machine.stop_instances, "UnauthorizedOperation", InstanceIds=[own, other])
    refused(machine.describe_instances, "UnauthorizedOperation")


def test_a_denial_and_a_boundary_and_the_policy_of_a_session_count(client, session):
    read = {"SecretId": client("secretsmanager").create_secret(Name="own", SecretString="x")["ARN"]}
    narrow = client("iam").create_policy(PolicyName="narrow", PolicyDocument=document(allow("ssm:*")))["Policy"]["Arn"]
    bounded = session(allow("*"), PermissionsBoundary=narrow)
    refused(bounded("secretsmanager").get_secret_value, "AccessDeniedException", **read)
    client("iam").delete_role_permissions_boundary(RoleName="machine")
    bounded("secretsmanager").get_secret_value(**read)

    arn = client("iam").get_role(RoleName="machine")["Role"]["Arn"]
    limited = session.take(arn, Policy=document(allow("ssm:*")))
    refused(limited("secretsmanager").get_secret_value, "AccessDeniedException", **read)

    denial = {"Effect": "Deny", "Action": "secretsmanager:*", "Resource": "*"}
    client("iam").put_role_policy(RoleName="machine", PolicyName="no", PolicyDocument=document(denial))
    refused(bounded("secretsmanager").get_secret_value, "AccessDeniedException", **read)


def test_attached_policies_count_and_who_one_is_may_always_be_asked(client, session):
    machine = session()
    assert machine("sts").get_caller_identity()["Arn"].endswith("assumed-role/machine/i-1")
    refused(machine("secretsmanager").list_secrets, "AccessDeniedException")
    own = client("iam").create_policy(PolicyName="own", PolicyDocument=document(allow("secretsmanager:List*")))
    client("iam").attach_role_policy(RoleName="machine", PolicyArn=own["Policy"]["Arn"])
    assert machine("secretsmanager").list_secrets()["SecretList"] == []


def test_whoever_is_no_machine_may_do_all(client, session):
    assert client("secretsmanager").list_secrets()["SecretList"] == []
    assert session(principal=PERSON)("secretsmanager").list_secrets()["SecretList"] == []
    nobody = session.take("arn:aws:iam::123456789012:role/nobody")
    assert nobody("secretsmanager").list_secrets()["SecretList"] == []


def test_where_nobody_knows_the_resource_the_action_decides(client, session):
    some = "arn:aws:sqs:*:*:own"
    sqs = session(allow("sqs:ListQueues", some), {"Effect": "Deny", "Action": "sqs:*", "Resource": some})("sqs")
    assert "QueueUrls" not in sqs.list_queues()
    refused(sqs.create_queue, "AccessDeniedException", QueueName="own")
    other = {"Effect": "Allow", "Action": "sqs:CreateQueue", "NotResource": some}
    client("iam").put_role_policy(RoleName="machine", PolicyName="more", PolicyDocument=document(other))
    sqs.create_queue(QueueName="own")
    denial = {"Effect": "Deny", "Action": "sqs:*", "Resource": "*"}
    client("iam").put_role_policy(RoleName="machine", PolicyName="no", PolicyDocument=document(denial))
    refused(sqs.list_queues, "AccessDeniedException")


def test_a_machine_encrypts_with_the_key_that_its_role_names_by_its_alias_too(client, session):
    kms = client("kms")
    own, other = (kms.create_key()["KeyMetadata"] for _ in range(2))
    for name, key in (("alias/own", own), ("alias/other", other)):
        kms.create_alias(AliasName=name, TargetKeyId=key["KeyId"])
    machine = session(allow(["kms:Encrypt", "kms:Decrypt"], own["Arn"]))("kms")
    sealed = machine.encrypt(KeyId="alias/own", Plaintext=b"x")["CiphertextBlob"]
    assert machine.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"x"
    refused(machine.encrypt, "AccessDeniedException", KeyId="alias/other", Plaintext=b"x")


def test_tags_of_the_role_and_the_account_are_keys_of_conditions(session):
    same = {"StringEquals": {"aws:PrincipalTag/Team": "a", "aws:PrincipalAccount": "123456789012"}}
    tls = {"Bool": {"aws:SecureTransport": "true"}}
    more = {"Tags": [{"Key": "Team", "Value": "a"}]}
    machine = session(allow("secretsmanager:ListSecrets", Condition=same | tls), **more)
    assert machine("secretsmanager").list_secrets()["SecretList"] == []


@pytest.fixture
def take(client, session):
    """Lets a machine take the role `storage`, which trusts these principals, by what it may do itself."""

    def take(*may, **trust):
        trusted = document({"Effect": "Allow", "Action": "sts:AssumeRole", **trust})
        made = client("iam").create_role(RoleName="storage", AssumeRolePolicyDocument=trusted)["Role"]
        own = document(allow("secretsmanager:ListSecrets"))
        client("iam").put_role_policy(RoleName="storage", PolicyName="own", PolicyDocument=own)
        asked = {"RoleArn": made["Arn"], "RoleSessionName": "ngp"}
        given = session(*may)("sts").assume_role(**asked)["Credentials"]
        names = {"aws_access_key_id": "AccessKeyId", "aws_secret_access_key": "SecretAccessKey"}
        keys = {name: given[key] for name, key in (names | {"aws_session_token": "SessionToken"}).items()}
        return lambda service: client(service, **keys)

    return take


ACCOUNT = {"AWS": "arn:aws:iam::123456789012:root"}
TAKE = allow("sts:AssumeRole", "arn:aws:iam::123456789012:role/storage")


def only(name):
    return {"ArnEquals": {"aws:PrincipalArn": f"arn:aws:iam::123456789012:role/{name}"}}


def test_a_role_that_a_machine_takes_is_held_to_its_own_policies(take):
    taken = take(TAKE, allow("ssm:*"), Principal=ACCOUNT, Condition=only("machine"))
    assert taken("secretsmanager").list_secrets()["SecretList"] == []
    refused(taken("ssm").describe_parameters, "AccessDeniedException")


@pytest.mark.parametrize(
    ("may", "trust"),
    [
        ([], {"Principal": ACCOUNT}),
        ([allow("sts:AssumeRole", "arn:aws:iam::123456789012:role/other")], {"Principal": ACCOUNT}),
        ([TAKE], {"Principal": ACCOUNT, "Condition": only("another")}),
        ([TAKE], {"Principal": {"Service": "ec2.amazonaws.com"}}),
        ([TAKE], {"Principal": {"AWS": ["arn:aws:iam::210987654321:root"]}}),
    ],
    ids=["no right", "another role", "condition", "a service", "another account"],
)
def test_a_machine_takes_no_role_without_the_right_and_the_trust(take, may, trust):
    with pytest.raises(ClientError, match="AccessDenied"):
        take(*may, **trust)


def asked(service, operation, **params):
    return Request(service, operation, params, "123456789012", "eu-central-1", params.pop("resource", "*"))


@pytest.mark.parametrize(
    ("service", "operation", "params", "found"),
    [
        ("ssm", "GetParameter", {"Name": "a:3"}, [f"arn:aws:ssm:{HERE}:parameter/a"]),
        ("ssm", "GetParameter", {"Name": f"arn:aws:ssm:{HERE}:parameter/a"}, [f"arn:aws:ssm:{HERE}:parameter/a"]),
        ("ssm", "DescribeParameters", {}, [f"arn:aws:ssm:{HERE}:*"]),
        ("ssm", "SendCommand", {"DocumentName": "x"}, None),
        ("ecr", "GetAuthorizationToken", {}, ["*"]),
        ("ecr", "BatchGetImage", {"repositoryName": "a/b"}, [f"arn:aws:ecr:{HERE}:repository/a/b"]),
        ("logs", "CreateLogStream", {"logGroupName": "/a", "logStreamName": "i"}, ["/a:log-stream:i"]),
        ("logs", "DescribeLogStreams", {"logGroupName": "/a"}, ["/a:log-stream:"]),
        ("logs", "DescribeLogGroups", {}, [":log-stream:"]),
        ("sns", "Publish", {"TopicArn": "arn:t"}, ["arn:t"]),
        ("kms", "Decrypt", {}, None),
        ("s3", "PutObject", {"resource": "arn:aws:s3:::a/b"}, ["arn:aws:s3:::a/b"]),
        ("s3", "DeleteObject", {"resource": "arn:aws:s3:::a"}, None),
        ("s3", "ListAllMyBuckets", {}, ["*"]),
        ("ec2", "DescribeInstances", {"InstanceId.1": "i-1"}, ["*"]),
        ("ec2", "AllocateAddress", {}, None),
        ("route53", "ListHostedZones", {}, None),
        ("sts", "AssumeRole", {"RoleArn": "arn:r"}, ["arn:r"]),
        ("sts", "AssumeRole", {}, None),
        ("sts", "GetCallerIdentity", {}, ["*"]),
    ],
)
def test_resources_of_a_request(service, operation, params, found):
    made = find(asked(service, operation, **params))
    if service == "logs":
        found = [f"arn:aws:logs:{HERE}:log-group:{found[0]}"]
    assert (None if made is None else list(made)) == found


def test_volume_that_is_attached_and_its_machine_must_both_be_allowed():
    made = find(asked("ec2", "AttachVolume", InstanceId="i-1", VolumeId="vol-1", Device="/dev/sdf"))
    assert set(made) == {f"arn:aws:ec2:{HERE}:instance/i-1", f"arn:aws:ec2:{HERE}:volume/vol-1"}


def test_right_has_the_name_that_iam_gives_it():
    assert asked("monitoring", "PutMetricData").action == "cloudwatch:PutMetricData"
    assert asked("s3", "HeadBucket").action == "s3:ListBucket"
    assert asked("ssm", "GetParameter").action == "ssm:GetParameter"


def test_keys_of_a_request_are_those_of_its_action():
    assert context(asked("s3", "ListBucket", prefix=""), "*") == {
        "aws:RequestedRegion": "eu-central-1",
        "s3:prefix": "",
    }
    assert context(asked("s3", "ListBucket"), "*") == {"aws:RequestedRegion": "eu-central-1"}
