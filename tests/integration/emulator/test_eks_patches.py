"""What the repaired emulator answers about Kubernetes clusters where plain moto would not answer as AWS does."""

import pytest

from ngp.aws import access
from ngp.aws.session import Session
from ngp.errors import NgpError
from tests.harness import new_account

pytestmark = pytest.mark.sandbox
ACCOUNT = new_account()
ROLE = f"arn:aws:iam::{ACCOUNT}:role/made"
NAMED = ("describe_cluster", "delete_cluster", "update_cluster_version", "update_cluster_config", "describe_update")
VIEW = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"


@pytest.fixture
def session(sandbox):
    return Session(access.sandbox({}, sandbox.url, "eu-central-1", ACCOUNT))


@pytest.fixture
def subnet(session):
    return session.call("ec2", "describe_subnets")["Subnets"][0]


@pytest.fixture
def eks(session, subnet, request):
    """Asks about a cluster of the test's own."""
    name = request.node.name[:60].replace("_", "-")
    network = {"subnetIds": [subnet["SubnetId"]]}
    more = {"accessConfig": {"authenticationMode": "API"}, "upgradePolicy": {"supportType": "STANDARD"}}
    session.call("eks", "create_cluster", name=name, roleArn=ROLE, resourcesVpcConfig=network, version="1.33", **more)

    def ask(verb, **params):
        # The others say clusterName.
        return session.call("eks", verb, **{"name" if verb in NAMED else "clusterName": name}, **params)

    return ask


def groups(session, cluster):
    wanted = [{"Name": "group-id", "Values": [cluster["resourcesVpcConfig"]["clusterSecurityGroupId"]]}]
    return session.call("ec2", "describe_security_groups", Filters=wanted)["SecurityGroups"]


def test_cluster_says_how_it_is_called_and_has_a_security_group_while_it_lives(session, eks, subnet):
    cluster = eks("describe_cluster")["cluster"]
    assert cluster["accessConfig"] == {"authenticationMode": "API"}
    assert cluster["upgradePolicy"] == {"supportType": "STANDARD"}
    assert cluster["resourcesVpcConfig"]["vpcId"] == subnet["VpcId"]
    assert [each["VpcId"] for each in groups(session, cluster)] == [subnet["VpcId"]]
    eks("delete_cluster")
    assert groups(session, cluster) == []


def test_nodes_are_as_they_were_asked_for(eks, subnet):
    asked = {"updateConfig": {"maxUnavailablePercentage": 33}, "nodeRepairConfig": {"enabled": True}}
    eks("create_nodegroup", nodegroupName="workers", nodeRole=ROLE, subnets=[subnet["SubnetId"]], **asked)
    shown = eks("describe_nodegroup", nodegroupName="workers")["nodegroup"]
    assert {name: shown[name] for name in asked} == asked
    assert not shown.keys() & {"remoteAccess", "diskSize"}


def test_addon_is_made_changed_and_deleted(eks):
    def addon():
        return eks("describe_addon", addonName="vpc-cni")["addon"]

    def roles():
        names = [each.rpartition("/")[2] for each in addon().get("podIdentityAssociations", [])]
        found = [eks("describe_pod_identity_association", associationId=name)["association"] for name in names]
        return {each["serviceAccount"]: each["roleArn"] for each in found}

    identity = {"serviceAccount": "aws-node", "roleArn": ROLE}
    eks("create_addon", addonName="vpc-cni", podIdentityAssociations=[identity], tags={"Name": "cni"})
    assert (addon()["status"], addon()["tags"], roles()) == ("ACTIVE", {"Name": "cni"}, {"aws-node": ROLE})
    update = eks("update_addon", addonName="vpc-cni", addonVersion="v1.20.4-eksbuild.2")["update"]
    assert (addon()["addonVersion"], roles()) == ("v1.20.4-eksbuild.2", {"aws-node": ROLE})
    assert update["status"] == "Successful"
    eks("update_addon", addonName="vpc-cni", podIdentityAssociations=[])
    assert roles() == {}
    eks("delete_addon", addonName="vpc-cni")
    with pytest.raises(NgpError):
        addon()


def test_access_is_given_and_taken_back(eks):
    who = {"principalArn": f"arn:aws:iam::{ACCOUNT}:role/a/path/operators"}

    def policies():
        found = eks("list_associated_access_policies", **who)["associatedAccessPolicies"]
        return {each["policyArn"]: each["accessScope"] for each in found}

    eks("create_access_entry", **who, type="STANDARD")
    with pytest.raises(NgpError):
        eks("create_access_entry", **who)
    assert eks("describe_access_entry", **who)["accessEntry"]["type"] == "STANDARD"
    scope = {"type": "namespace", "namespaces": ["shop"]}
    eks("associate_access_policy", **who, policyArn=VIEW, accessScope=scope)
    assert policies() == {VIEW: scope}
    eks("disassociate_access_policy", **who, policyArn=VIEW)
    assert policies() == {}
    eks("delete_access_entry", **who)
    with pytest.raises(NgpError):
        eks("describe_access_entry", **who)


def test_cluster_and_nodes_take_another_version(eks, subnet):
    workers = {"nodegroupName": "workers"}
    eks("create_nodegroup", **workers, nodeRole=ROLE, subnets=[subnet["SubnetId"]], version="1.33")
    for verb, more in (("update_cluster_version", {}), ("update_nodegroup_version", workers)):
        update = eks(verb, version="1.34", **more)["update"]
        assert eks("describe_update", updateId=update["id"])["update"]["status"] == "Successful"
    assert eks("describe_cluster")["cluster"]["version"] == "1.34"
    assert eks("describe_nodegroup", **workers)["nodegroup"]["version"] == "1.34"


def test_cluster_takes_another_access_and_keeps_its_network(eks):
    before = eks("describe_cluster")["cluster"]["resourcesVpcConfig"]
    network = {"endpointPublicAccess": True, "publicAccessCidrs": ["203.0.113.0/24"]}
    eks("update_cluster_config", resourcesVpcConfig=network)
    eks("update_cluster_config", upgradePolicy={"supportType": "EXTENDED"})
    cluster = eks("describe_cluster")["cluster"]
    assert cluster["resourcesVpcConfig"] == {**before, **network}
    assert cluster["upgradePolicy"] == {"supportType": "EXTENDED"}
