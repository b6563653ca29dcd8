"""What the repaired emulator refuses, as AWS does, where plain moto would accept it."""

import base64
import gzip

import boto3
import pytest
from botocore.exceptions import ClientError

from ngp.aws import access
from ngp_emulator import published
from tests.harness import new_account

pytestmark = pytest.mark.sandbox
ACCOUNT = new_account()
AMD64, ARM64 = published.IMAGES[0].id, published.IMAGES[1].id
LARGE = "x" * 16385


@pytest.fixture
def client(sandbox):
    env = access.sandbox({}, sandbox.url, "eu-central-1", ACCOUNT)
    keys = {"aws_access_key_id": env["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": env["AWS_SECRET_ACCESS_KEY"]}
    return lambda service: boto3.client(service, endpoint_url=sandbox.url, region_name="eu-central-1", **keys)


@pytest.fixture
def ec2(client):
    return client("ec2")


def refused(call, **asked):
    """The code and the message that a call is refused with."""
    with pytest.raises(ClientError) as caught:
        call(**asked)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def template(text):
    return {"UserData": base64.b64encode(text.encode()).decode()}


@pytest.mark.parametrize(
    ("name", "description", "said"),
    [
        ("sg-web", "Web", "Group names may not be in the format sg-*"),
        ("web's", "Web", "Invalid security group name."),
        ("n" * 256, "Web", "Invalid security group name."),
        ("web", "The balancer's group", "Invalid security group description. Valid descriptions are strings less than"),
        ("web", "d" * 256, "Invalid security group description."),
    ],
)
def test_group_with_a_bad_name_or_description_is_refused(ec2, name, description, said):
    code, message = refused(ec2.create_security_group, GroupName=name, Description=description)
    assert (code, said in message) == ("InvalidParameterValue", True), message


def test_rule_with_a_bad_description_is_refused(ec2):
    group = ec2.create_security_group(GroupName="n" * 255, Description="a-Z0. _-:/()#,@[]+=&;{}!$*")["GroupId"]

    def permission(text):
        ranges = [{"CidrIp": "10.0.0.0/8", "Description": text}]
        return [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": ranges}]

    def change(text):
        rule = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "CidrIpv4": "10.0.0.0/8", "Description": text}
        return [{"SecurityGroupRuleId": made, "SecurityGroupRule": rule}]

    for call in (ec2.authorize_security_group_ingress, ec2.authorize_security_group_egress):
        code, message = refused(call, GroupId=group, IpPermissions=permission("it's"))
        assert (code, message.split(".")[0]) == ("InvalidParameterValue", "Invalid rule description")
    given = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=permission("from inside"))
    made = given["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    assert refused(ec2.modify_security_group_rules, GroupId=group, SecurityGroupRules=change("é"))[0] == code
    ec2.modify_security_group_rules(GroupId=group, SecurityGroupRules=change("from there"))
    anew = ec2.update_security_group_rule_descriptions_ingress
    assert refused(anew, GroupId=group, IpPermissions=permission("d" * 256))[0] == code


def test_large_user_data_is_refused_and_counted_before_base64(ec2):
    one = {"ImageId": AMD64, "MinCount": 1, "MaxCount": 1}
    said = "User data is limited to 16384 bytes"
    assert refused(ec2.run_instances, UserData=LARGE, **one) == ("InvalidParameterValue", said)
    [instance] = ec2.run_instances(UserData=LARGE[1:], **one)["Instances"]
    changed = {"InstanceId": instance["InstanceId"], "UserData": {"Value": LARGE.encode()}}
    assert refused(ec2.modify_instance_attribute, **changed) == ("InvalidParameterValue", said)

    large = {"LaunchTemplateName": "large", "LaunchTemplateData": template(LARGE)}
    assert refused(ec2.create_launch_template, **large) == ("InvalidUserData.Malformed", said)
    ec2.create_launch_template(**large | {"LaunchTemplateData": template(LARGE[1:])})
    assert refused(ec2.create_launch_template_version, **large) == ("InvalidUserData.Malformed", said)
    packed = base64.b64encode(gzip.compress(LARGE.encode())).decode()
    ec2.create_launch_template_version(LaunchTemplateName="large", LaunchTemplateData={"UserData": packed})


@pytest.mark.parametrize(("type_", "image"), [("t4g.small", AMD64), ("t3.small", ARM64), ("c7gn.large", AMD64)])
def test_instance_of_another_architecture_than_its_image_is_refused(ec2, client, type_, image):
    code, message = refused(ec2.run_instances, ImageId=image, InstanceType=type_, MinCount=1, MaxCount=1)
    assert code == "InvalidParameterValue"
    assert "of the specified instance type does not match the architecture" in message

    name = f"bad-{type_}"
    ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData={"ImageId": image, "InstanceType": type_})
    group = {
        "AutoScalingGroupName": name,
        "MinSize": 0,
        "MaxSize": 1,
        "AvailabilityZones": ["eu-central-1a"],
        "LaunchTemplate": {"LaunchTemplateName": name, "Version": "1"},
    }
    code, message = refused(client("autoscaling").create_auto_scaling_group, **group)
    assert code == "ValidationError"
    assert message.startswith("You must use a valid fully-formed launch template. The architecture '")


@pytest.mark.parametrize(("type_", "image"), [("t3.small", AMD64), ("t4g.small", ARM64)])
def test_instance_of_its_images_architecture_starts(ec2, type_, image):
    assert ec2.run_instances(ImageId=image, InstanceType=type_, MinCount=1, MaxCount=1)["Instances"]


def test_parameter_group_in_use_is_not_deleted(client):
    rds = client("rds")
    group = {"DBParameterGroupName": "used"}
    rds.create_db_parameter_group(DBParameterGroupFamily="postgres17", Description="d", **group)
    rds.create_db_instance(
        DBInstanceIdentifier="user", Engine="postgres", DBInstanceClass="db.t4g.small", AllocatedStorage=20, **group
    )
    code, message = refused(rds.delete_db_parameter_group, **group)
    assert code == "InvalidDBParameterGroupState"
    assert message.startswith("One or more database instances are still members of this parameter group used")
    rds.delete_db_instance(DBInstanceIdentifier="user", SkipFinalSnapshot=True)
    rds.delete_db_parameter_group(**group)


def test_sizes_of_a_node_group_that_contradict_each_other_are_refused(client, ec2):
    eks, role = client("eks"), f"arn:aws:iam::{ACCOUNT}:role/nodes"
    subnets = [each["SubnetId"] for each in ec2.describe_subnets()["Subnets"]][:2]
    eks.create_cluster(name="sized", roleArn=role, resourcesVpcConfig={"subnetIds": subnets})

    def sizes(least, desired, most):
        return {"minSize": least, "desiredSize": desired, "maxSize": most}

    nodes = {"clusterName": "sized", "nodegroupName": "nodes"}
    more = {"subnets": subnets, "nodeRole": role}
    said = "Minimum capacity 3 can't be greater than desired size 2"
    assert refused(eks.create_nodegroup, scalingConfig=sizes(3, 2, 5), **nodes, **more) == (
        "InvalidParameterException",
        said,
    )
    eks.create_nodegroup(scalingConfig=sizes(1, 2, 5), **nodes, **more)
    assert refused(eks.update_nodegroup_config, scalingConfig={"minSize": 3}, **nodes)[1] == said
    assert refused(eks.update_nodegroup_config, scalingConfig={"maxSize": 1}, **nodes)[0] == "InvalidParameterException"
    eks.update_nodegroup_config(scalingConfig=sizes(3, 3, 5), **nodes)
