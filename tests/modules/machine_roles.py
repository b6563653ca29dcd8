"""Credentials of machines: sessions of their roles at the sandbox, as instance metadata hands them out."""

import json


def profile_of(client, instance):
    """The instance profile of a running instance, or of an instance with a launch template's data."""
    named = instance["IamInstanceProfile"]
    name = named.get("Name") or named["Arn"].rpartition("/")[2]
    return client("iam").get_instance_profile(InstanceProfileName=name)["InstanceProfile"]


def metadata(client, instance):
    """Path to text: the name of the instance's role, and a session that the sandbox's STS has just made for it.

    The sandbox holds such a session to the role's policies, so every call of a boot script proves them.
    """
    [role] = profile_of(client, instance)["Roles"]
    asked = {"RoleArn": role["Arn"], "RoleSessionName": instance["InstanceId"]}
    given = client("sts").assume_role(**asked)["Credentials"]
    folder = "meta-data/iam/security-credentials"
    keys = {"AccessKeyId": given["AccessKeyId"], "SecretAccessKey": given["SecretAccessKey"]}
    times = {"LastUpdated": "2025-01-01T00:00:00Z", "Expiration": "2099-01-01T00:00:00Z"}
    session = {"Code": "Success", "Type": "AWS-HMAC", **keys, "Token": given["SessionToken"], **times}
    return {folder: role["RoleName"], f"{folder}/{role['RoleName']}": json.dumps(session)}
