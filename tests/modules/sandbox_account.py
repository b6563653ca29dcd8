"""An account of the sandbox with one network and a hosted zone, in which tests apply modules with Terraform."""

import os

import boto3

from ngp.aws import access
from tests.modules import machine_roles, switch

REGION, DOMAIN = "eu-central-1", "lab.example.test"


class SandboxAccount:
    """An account, its clients, and Terraform in it; instances have user data, but do not run."""

    def __init__(self, number, url):
        self.number, self.url = number, url
        self.env = {**os.environ, **access.sandbox({}, url, REGION, number), "TF_IN_AUTOMATION": "1"}
        self.ec2 = self.client("ec2")
        self.vpc = self.ec2.create_vpc(CidrBlock=f"{switch.NETWORK}.0/24")["Vpc"]["VpcId"]
        made = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"{switch.NETWORK}.0/24")
        self.subnet = made["Subnet"]["SubnetId"]
        self.client("route53").create_hosted_zone(Name=DOMAIN, CallerReference="lab")

    def client(self, service):
        keys = {"aws_access_key_id": self.number, "aws_secret_access_key": "sandbox"}
        return boto3.client(service, endpoint_url=self.url, region_name=REGION, **keys)

    def terraform(self, folder, *argv):
        """Run Terraform in a folder; it must succeed."""
        switch.told("terraform", *argv, cwd=folder, env=self.env, timeout=300)

    def apply(self, folder, *targets, flags=()):
        """Apply these resources, by their addresses without the first `module.`, and what they need."""
        self.terraform(folder, "apply", "-auto-approve", *flags, *(f"-target=module.{one}" for one in targets))

    def instances(self, filters):
        """The instances that match the filters (name → value)."""
        asked = [{"Name": name, "Values": [value]} for name, value in filters.items()]
        return [one for each in self.ec2.describe_instances(Filters=asked)["Reservations"] for one in each["Instances"]]

    def bootable(self, instance):
        """An instance, its user data as Base64, and the session of its role."""
        asked = {"InstanceId": instance["InstanceId"], "Attribute": "userData"}
        user_data = self.ec2.describe_instance_attribute(**asked)["UserData"]["Value"]
        return instance, user_data, machine_roles.metadata(self.client, instance)
