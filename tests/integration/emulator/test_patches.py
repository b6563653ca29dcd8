"""Answers of the patched emulator where moto does not answer as AWS does."""

import base64
import json
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from ngp.aws import access
from ngp.aws.failures import DeniedError
from ngp.aws.session import Session
from ngp.errors import NgpError
from ngp.sandbox import seed
from ngp_emulator import published

pytestmark = pytest.mark.sandbox
REGION = {"CreateBucketConfiguration": {"LocationConstraint": "eu-central-1"}}


@pytest.fixture
def of(sandbox):
    return lambda account, region="eu-central-1": Session(access.sandbox({}, sandbox.url, region, account))


@pytest.mark.parametrize("number", ["123456789012", "210987654321", "000000000001"])
def test_access_key_names_the_account(of, number):
    assert of(number).account_id() == number


def test_accounts_do_not_see_each_other(of):
    of("111111111111").call("s3", "create_bucket", Bucket="of-the-first", **REGION)
    of("111111111111").put_object("of-the-first", "key", b"secret")
    assert of("222222222222").call("s3", "list_buckets")["Buckets"] == []
    with pytest.raises(DeniedError):
        of("222222222222").object("of-the-first", "key")


def test_tls_only_policy_does_not_lock_plain_http_out(of):
    session = of("123456789012")
    session.call("s3", "create_bucket", Bucket="tls-only", **REGION)
    names = ["arn:aws:s3:::tls-only", "arn:aws:s3:::tls-only/*"]
    denial = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": names}
    tls = {**denial, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    session.call("s3", "put_bucket_policy", Bucket="tls-only", Policy=json.dumps({"Statement": [tls]}))
    session.put_object("tls-only", "key", b"value")
    assert session.object("tls-only", "key") == b"value"
    assert json.loads(session.call("s3", "get_bucket_policy", Bucket="tls-only")["Policy"]) == {"Statement": [tls]}

    denied = {**denial, "Action": "s3:PutObject"}
    session.call("s3", "put_bucket_policy", Bucket="tls-only", Policy=json.dumps({"Statement": [tls, denied]}))
    with pytest.raises(DeniedError):
        session.put_object("tls-only", "key", b"other")


@pytest.mark.parametrize("region", ["eu-central-1", "us-east-1"])
@pytest.mark.parametrize("name", published.PARAMETERS)
def test_public_parameter_names_an_image_that_is_there(of, region, name):
    session = of("123456789012", region)
    assert session.image(name) == published.PARAMETERS[name]
    image = session.call("ec2", "describe_images", ImageIds=[published.PARAMETERS[name]])["Images"][0]
    assert image["RootDeviceName"] == "/dev/xvda"
    assert image["Architecture"] == {"amd64": "x86_64", "arm64": "arm64"}[name.rpartition("/")[2]]


def test_unknown_public_parameter_is_absent(of):
    assert of("123456789012").parameter("/aws/service/debian/release/99/latest/amd64") is None
    assert of("123456789012").image("/aws/service/debian/release/99/latest/amd64") is None


def test_image_of_the_marketplace_is_found_by_its_product_code(of):
    def found(code):
        filters = [{"Name": "product-code", "Values": [code]}, {"Name": "architecture", "Values": ["x86_64"]}]
        answer = of("123456789012").call("ec2", "describe_images", Owners=["aws-marketplace"], Filters=filters)
        return [image["ImageId"] for image in answer["Images"]]

    wanted = next(image for image in published.IMAGES if image.product_code)
    assert found(wanted.product_code) == [wanted.id]
    assert found("another") == []


@pytest.mark.parametrize("text", [b"#!/bin/sh\n", b"\x1f\x8b\x08 gzip \xff", b"abcd", b"YWJjZA=="])
def test_user_data_of_an_instance_can_be_changed_to_anything(of, text):
    ec2 = of("123456789012")
    image = next(iter(published.IMAGES)).id

    def held():
        answer = ec2.call("ec2", "describe_instance_attribute", InstanceId=instance, Attribute="userData")
        return base64.b64decode(answer["UserData"]["Value"])

    answer = ec2.call("ec2", "run_instances", ImageId=image, MinCount=1, MaxCount=1, UserData=text)
    instance = answer["Instances"][0]["InstanceId"]
    assert held() == text
    ec2.call("ec2", "stop_instances", InstanceIds=[instance])
    ec2.call("ec2", "modify_instance_attribute", InstanceId=instance, UserData={"Value": text + b"more"})
    assert held() == text + b"more"


def test_interface_of_its_own_outlives_the_instance(of):
    session = of("666666666666")
    subnet = session.call("ec2", "describe_subnets")["Subnets"][0]["SubnetId"]
    card = session.call("ec2", "create_network_interface", SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    cards = [{"DeviceIndex": 0, "NetworkInterfaceId": card}]
    image = {"ImageId": published.IMAGES[0].id, "MinCount": 1, "MaxCount": 1}
    for _ in range(2):  # the second one finds it free
        [instance] = session.call("ec2", "run_instances", NetworkInterfaces=cards, **image)["Instances"]
        session.call("ec2", "terminate_instances", InstanceIds=[instance["InstanceId"]])
        [told] = session.call("ec2", "describe_instances", InstanceIds=[instance["InstanceId"]])["Reservations"]
        assert told["Instances"][0]["State"]["Name"] == "terminated"
    [left] = session.call("ec2", "describe_network_interfaces", NetworkInterfaceIds=[card])["NetworkInterfaces"]
    assert (left["Status"], left.get("Attachment")) == ("available", None)
    session.call("ec2", "delete_network_interface", NetworkInterfaceId=card)


def test_association_is_made_changed_tagged_and_deleted(of):
    session = of("666666666666")
    given = {"Name": "agents", "Targets": [{"Key": "tag:Cluster", "Values": ["swarm"]}]}
    made = session.call("ssm", "create_association", **given, Tags=[{"Key": "Project", "Value": "shop"}])
    which = {"AssociationId": made["AssociationDescription"]["AssociationId"]}
    tagged = {"ResourceType": "Association", "ResourceId": which["AssociationId"]}
    assert session.call("ssm", "list_tags_for_resource", **tagged)["TagList"] == [{"Key": "Project", "Value": "shop"}]
    session.call("ssm", "update_association", **which, DocumentVersion="2")
    shown = session.call("ssm", "describe_association", **which)["AssociationDescription"]
    assert (shown["Targets"], shown["DocumentVersion"], shown["AssociationVersion"]) == (given["Targets"], "2", "2")
    session.call("ssm", "delete_association", **which)
    with pytest.raises(NgpError, match="AssociationDoesNotExist"):
        session.call("ssm", "describe_association", **which)


def test_backups_of_a_file_system_are_turned_on_and_off(of):
    call = of("555555555555").call
    name = call("efs", "create_file_system", CreationToken="home")["FileSystemId"]
    assert call("efs", "describe_backup_policy", FileSystemId=name)["BackupPolicy"] == {"Status": "DISABLED"}
    for status in ("ENABLED", "DISABLED"):
        call("efs", "put_backup_policy", FileSystemId=name, BackupPolicy={"Status": status})
        assert call("efs", "describe_backup_policy", FileSystemId=name)["BackupPolicy"] == {"Status": status}
    with pytest.raises(NgpError, match="does not exist"):
        call("efs", "put_backup_policy", FileSystemId="fs-0123456789abcdef0", BackupPolicy={"Status": "ENABLED"})


def test_pull_through_cache_rule_is_made_changed_and_deleted(of):
    session = of("666666666666")
    which, secret = (
        {"ecrRepositoryPrefix": "hub"},
        "arn:aws:secretsmanager:eu-central-1:666666666666:secret:ecr-pullthroughcache/",
    )

    def rules(*prefixes):
        asked = {"ecrRepositoryPrefixes": list(prefixes)} if prefixes else {}
        return session.call("ecr", "describe_pull_through_cache_rules", **asked)["pullThroughCacheRules"]

    assert rules() == []
    given = {**which, "upstreamRegistryUrl": "registry-1.docker.io", "credentialArn": f"{secret}x"}
    session.call("ecr", "create_pull_through_cache_rule", **given)
    with pytest.raises(NgpError, match="PullThroughCacheRuleAlreadyExistsException"):
        session.call("ecr", "create_pull_through_cache_rule", **given)
    session.call("ecr", "update_pull_through_cache_rule", **which, credentialArn=f"{secret}y")
    [shown] = rules("hub")
    assert shown.items() >= {**given, "credentialArn": f"{secret}y", "registryId": "666666666666"}.items()
    session.call("ecr", "delete_pull_through_cache_rule", **which)
    with pytest.raises(NgpError, match="PullThroughCacheRuleNotFoundException"):
        rules("hub")


def test_session_of_a_machines_role_is_allowed_what_its_policies_allow(of, sandbox):
    session = of("666666666667")
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = session.call(
        "iam",
        "create_role",
        RoleName="node",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    own = {"Effect": "Allow", "Action": "ssm:GetParameter", "Resource": "arn:aws:ssm:*:666666666667:parameter/own/*"}
    given = {
        "RoleName": "node",
        "PolicyName": "own",
        "PolicyDocument": json.dumps({"Version": "2012-10-17", "Statement": [own]}),
    }
    session.call("iam", "put_role_policy", **given)
    for name in ("/own/a", "/other/a"):
        session.call("ssm", "put_parameter", Name=name, Value="v", Type="String")
    taken = session.call("sts", "assume_role", RoleArn=role, RoleSessionName="i-1")["Credentials"]
    keys = {"aws_access_key_id": taken["AccessKeyId"], "aws_secret_access_key": taken["SecretAccessKey"]}
    made = {"endpoint_url": sandbox.url, "region_name": "eu-central-1", "aws_session_token": taken["SessionToken"]}
    machine = boto3.client("ssm", **made, **keys)
    assert machine.get_parameter(Name="/own/a")["Parameter"]["Value"] == "v"
    with pytest.raises(ClientError, match="AccessDeniedException"):
        machine.get_parameter(Name="/other/a")


def test_managed_policies_are_there_at_once(of):
    arn = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
    assert of("123456789012").call("iam", "get_policy", PolicyArn=arn)["Policy"]["Arn"] == arn


def test_seed_gives_what_a_real_account_has_and_then_only_looks(of):
    session = of("333333333333")
    seed.seed(session, region="eu-central-1", domain="demo.example", bucket="demo-tfstate-333333333333-eu-central-1")
    zone = session.hosted_zone("demo.example")
    session.put_object("demo-tfstate-333333333333-eu-central-1", "key", b"state")
    seed.seed(session, region="eu-central-1", domain="demo.example", bucket="demo-tfstate-333333333333-eu-central-1")
    assert zone is not None
    assert session.hosted_zone("demo.example") == zone
    assert session.object("demo-tfstate-333333333333-eu-central-1", "key") == b"state"
    assert len(session.call("route53", "list_hosted_zones")["HostedZones"]) == 1


def test_seed_without_a_bucket_makes_none(of):
    session = of("444444444444")
    seed.seed(session, region="eu-central-1", domain="demo.example", bucket="")
    assert session.call("s3", "list_buckets")["Buckets"] == []


def test_rule_between_groups_keeps_its_description(of):
    session = of("555555555555")
    groups = [session.call("ec2", "create_security_group", GroupName=n, Description=n)["GroupId"] for n in "ab"]
    rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80}
    rule["UserIdGroupPairs"] = [{"GroupId": groups[1], "Description": "from b"}]
    session.call("ec2", "authorize_security_group_ingress", GroupId=groups[0], IpPermissions=[rule])
    rule = {"IpProtocol": "tcp", "FromPort": 81, "ToPort": 81}
    rule["IpRanges"] = [{"CidrIp": "192.0.2.0/24", "Description": "from a range"}]
    session.call("ec2", "authorize_security_group_ingress", GroupId=groups[0], IpPermissions=[rule])

    wanted = [{"Name": "group-id", "Values": [groups[0]]}]
    rules = session.call("ec2", "describe_security_group_rules", Filters=wanted)["SecurityGroupRules"]
    assert {rule["Description"] for rule in rules if not rule["IsEgress"]} == {"from b", "from a range"}


@pytest.mark.parametrize("given", [[], [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "node"}]}]])
def test_launch_template_gives_only_the_tags_it_says(of, given):
    session = of("555555555555")
    own = [{"ResourceType": "launch-template", "Tags": [{"Key": "Name", "Value": "template"}]}]
    data = {"InstanceType": "t3.micro", **({"TagSpecifications": given} if given else {})}
    name = f"template{len(given)}"
    template = session.call(
        "ec2", "create_launch_template", LaunchTemplateName=name, LaunchTemplateData=data, TagSpecifications=own
    )["LaunchTemplate"]
    assert template["Tags"] == own[0]["Tags"]

    versions = session.call("ec2", "describe_launch_template_versions", LaunchTemplateName=name)
    assert versions["LaunchTemplateVersions"][0]["LaunchTemplateData"].get("TagSpecifications", []) == given


def test_autoscaling_group_takes_a_later_version_with_user_data(of):
    session = of("555555555555")
    data = {"InstanceType": "t3.micro", "ImageId": published.IMAGES[0].id, "UserData": base64.b64encode(b"#!").decode()}
    session.call("ec2", "create_launch_template", LaunchTemplateName="grows", LaunchTemplateData=data)
    session.call("ec2", "create_launch_template_version", LaunchTemplateName="grows", LaunchTemplateData=data)
    template = {"LaunchTemplateName": "grows", "Version": "1"}
    group = {"AutoScalingGroupName": "grows", "MinSize": 0, "MaxSize": 2, "AvailabilityZones": ["eu-central-1a"]}
    session.call("autoscaling", "create_auto_scaling_group", LaunchTemplate=template, **group)
    later = {**group, "DesiredCapacity": 1}
    session.call("autoscaling", "update_auto_scaling_group", LaunchTemplate={**template, "Version": "2"}, **later)
    [shown] = session.call("autoscaling", "describe_auto_scaling_groups")["AutoScalingGroups"]
    assert (shown["LaunchTemplate"]["Version"], len(shown["Instances"])) == ("2", 1)


def test_lifecycle_hook_that_notifies_nobody_names_no_target(of):
    session = of("555555555555")
    group = {"AutoScalingGroupName": "hooked"}
    named = {**group, "LifecycleHookName": "drain"}
    transition = "autoscaling:EC2_INSTANCE_TERMINATING"
    session.call("autoscaling", "put_lifecycle_hook", LifecycleTransition=transition, **named)
    [hook] = session.call("autoscaling", "describe_lifecycle_hooks", **group)["LifecycleHooks"]
    assert hook.keys().isdisjoint({"NotificationTargetARN", "RoleARN"})


def test_signed_address_is_its_signers(of):
    session = of("777777777771")
    session.call("s3", "create_bucket", Bucket="signed-for", **REGION)
    session.call("s3", "put_object", Bucket="signed-for", Key="a/b", Body=b"what was put")
    s3 = boto3.client(
        "s3",
        endpoint_url=session.env["AWS_ENDPOINT_URL"],
        region_name="eu-central-1",
        aws_access_key_id="777777777771",
        aws_secret_access_key="sandbox",
        config=Config(signature_version="s3v4"),
    )
    signed = s3.generate_presigned_url("get_object", Params={"Bucket": "signed-for", "Key": "a/b"})
    with urllib.request.urlopen(signed) as answer:
        assert answer.read() == b"what was put"


def test_address_of_an_instance_that_has_ended_is_free(of):
    session = of("777777777772")
    subnet = session.call("ec2", "describe_subnets")["Subnets"][0]
    address = subnet["CidrBlock"].replace(".0/20", ".77")
    sizes = {"MinCount": 1, "MaxCount": 1, "SubnetId": subnet["SubnetId"], "PrivateIpAddress": address}
    for _ in range(2):
        [made] = session.call("ec2", "run_instances", **sizes)["Instances"]
        assert made["PrivateIpAddress"] == address
        session.call("ec2", "terminate_instances", InstanceIds=[made["InstanceId"]])


def record_change(action, name):
    record = {"Name": name, "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    return {"Changes": [{"Action": action, "ResourceRecordSet": record}]}


def test_deleted_record_can_be_made_again_and_one_that_is_there_cannot(of):
    session = of("666666666666")
    zone = session.call("route53", "create_hosted_zone", Name="dns.example", CallerReference="1")["HostedZone"]["Id"]

    def change(action, name):
        batch = record_change(action, name)
        session.call("route53", "change_resource_record_sets", HostedZoneId=zone, ChangeBatch=batch)

    for name in ("dns.example", "other.dns.example"):
        change("CREATE", name)
    change("DELETE", "dns.example")
    change("CREATE", "dns.example")
    with pytest.raises(NgpError):
        change("CREATE", "dns.example")


def test_no_change_of_a_zone_is_lost_among_others(of):
    session = of("666666666666")
    zone = session.call("route53", "create_hosted_zone", Name="busy.example", CallerReference="2")["HostedZone"]["Id"]

    def change(action):
        def one(number):
            batch = record_change(action, f"n{number}.busy.example")
            of("666666666666").call("route53", "change_resource_record_sets", HostedZoneId=zone, ChangeBatch=batch)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(one, range(24)))

    change("CREATE")
    change("DELETE")
    left = session.call("route53", "list_resource_record_sets", HostedZoneId=zone)["ResourceRecordSets"]
    assert {record["Type"] for record in left} == {"NS", "SOA"}


def test_a_function_says_where_what_it_failed_on_goes(of):
    session = of("123456789012")
    role = session.call("iam", "create_role", RoleName="failing", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    queue, other = ("arn:aws:sqs:eu-central-1:123456789012:" + name for name in ("one", "two"))
    code = {"ZipFile": b"PK\x05\x06" + bytes(18)}
    named = {"FunctionName": "failing", "DeadLetterConfig": {"TargetArn": queue}}
    plain = {"Role": role, "Runtime": "python3.12", "Handler": "a.b", "Code": code}
    session.call("lambda", "create_function", **named, **plain)
    session.call("lambda", "create_function", FunctionName="plain", **plain)

    def told(name):
        return session.call("lambda", "get_function_configuration", FunctionName=name).get("DeadLetterConfig")

    assert (told("failing"), told("plain")) == ({"TargetArn": queue}, None)
    session.call("lambda", "update_function_configuration", FunctionName="failing", Timeout=9)
    assert told("failing") == {"TargetArn": queue}
    session.call(
        "lambda", "update_function_configuration", FunctionName="failing", DeadLetterConfig={"TargetArn": other}
    )
    assert told("failing") == {"TargetArn": other}


BUSY = """
from ngp_emulator import patches
patches.apply()
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.models.tags import TagBackend

class Changing(dict):
    def items(self):
        for item in list(super().items()):
            yield item
            raise RuntimeError("dictionary changed size during iteration")

backend = TagBackend()
backend.tags["sg-other"] = Changing(Name="other")
backend.create_tags(["sg-mine"], {"Name": "mine"})
resource = TaggedEC2Resource()
resource.id, resource.ec2_backend = "sg-mine", backend
print(resource.get_tags())
"""


def test_tags_of_one_thing_are_told_while_others_get_theirs():
    """A rule that was made and whose answer failed would be asked for again, and refused as one too many."""
    told = subprocess.run([sys.executable, "-c", BUSY], capture_output=True, text=True, check=True).stdout
    assert told == "[{'resource_id': 'sg-mine', 'key': 'Name', 'value': 'mine', 'resource_type': 'security-group'}]\n"


def test_a_target_group_that_is_gone_can_be_deleted_again(of):
    session = of("888888888888")
    vpc = session.call("ec2", "create_vpc", CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    wish = {"Name": "shop", "Protocol": "HTTP", "Port": 80, "VpcId": vpc}
    [group] = session.call("elbv2", "create_target_group", **wish)["TargetGroups"]
    for _ in range(2):
        session.call("elbv2", "delete_target_group", TargetGroupArn=group["TargetGroupArn"])
    assert session.call("elbv2", "describe_target_groups")["TargetGroups"] == []


def test_backup_selections_are_kept_with_their_plan(of):
    session = of("123456789012")
    rule = {"RuleName": "daily", "TargetBackupVaultName": "vault"}
    plan = session.call("backup", "create_backup_plan", BackupPlan={"BackupPlanName": "p", "Rules": [rule]})
    of_plan = {"BackupPlanId": plan["BackupPlanId"]}
    chosen = {
        "SelectionName": "disks",
        "IamRoleArn": "arn:aws:iam::123456789012:role/r",
        "Resources": ["arn:aws:ec2:*"],
    }
    made = session.call("backup", "create_backup_selection", BackupSelection=chosen, **of_plan)
    asked = {**of_plan, "SelectionId": made["SelectionId"]}
    assert session.call("backup", "get_backup_selection", **asked)["BackupSelection"] == chosen
    session.call("backup", "delete_backup_selection", **asked)
    with pytest.raises(NgpError):
        session.call("backup", "get_backup_selection", **asked)
