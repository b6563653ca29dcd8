"""The module's own Python; both kinds of the module, applied in one environment of the sandbox."""

import datetime
import importlib
import ipaddress
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.doubles.marathon import Marathon
from tests.modules.lab import REGION, Lab, lay_platform, open_lab
from tests.modules.snapshot.apps import REGISTRY, WEB

MODULE = Path(__file__).parents[3] / "modules/snapshot"
NAMES = ("store", "marathon", "handler", "engine", "state", "swarm")
HEADER = "token=eyJhbGciOi"


@pytest.fixture(scope="package")
def code():
    """The module's own Python, imported by its bare names, as where it runs: `code.marathon`, `code.swarm`, …

    Nothing of it stays importable for other tests.
    """
    before, writes = list(sys.path), sys.dont_write_bytecode
    sys.path[:0] = [str(MODULE / "functions/snapshot"), str(MODULE / "files")]
    sys.dont_write_bytecode = True  # nothing comes into the module's folders, which are copied and shipped
    yield SimpleNamespace(**{name: importlib.import_module(name) for name in NAMES})
    sys.path[:], sys.dont_write_bytecode = before, writes
    for name in NAMES:
        sys.modules.pop(name)


def certificate(path):
    """A key and a certificate of its own for 127.0.0.1, in one file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "dcos")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public = made.public_bytes(serialization.Encoding.PEM)
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path.write_bytes(private + public)
    return public.decode()


@pytest.fixture(scope="module")
def double(tmp_path_factory):
    """Marathon's double behind TLS and a header, as DC/OS has it."""
    path = tmp_path_factory.mktemp("dcos") / "dcos.pem"
    public = certificate(path)
    made = Marathon(REGISTRY, WEB, authorization=HEADER, certificate=path)
    made.ca = public
    yield made
    made.stop()


@pytest.fixture(scope="module")
def lab(tmp_path_factory, ngp_in, double):
    """An environment with a unit for Swarm and one for Marathon, rendered; a cluster and a network would take minutes,
    so there is only what of them the module names."""
    path = tmp_path_factory.mktemp("lab")
    lay_platform(path, "snapshot")
    with open_lab(Lab(ngp_in(path))) as made:
        topic = made.client("sns").create_topic(Name="alarms")["TopicArn"]
        common = {"pre_tag": "lab-one", "post_tag": "lab", "alarm_topic_arn": topic}
        values = {**common, **_of_swarm(made), **_of_marathon(made, double)}
        made.configure("snapshot", "snapshot-dcos=snapshot", values=values)
        yield made


def _of_swarm(lab):
    role = json.dumps({"Version": "2012-10-17", "Statement": []})
    lab.client("iam").create_role(RoleName="managers", AssumeRolePolicyDocument=role)
    lab.client("s3").create_bucket(Bucket="lab-files", CreateBucketConfiguration={"LocationConstraint": REGION})
    values = {"swarm_stack_bucket": "lab-files", "swarm_stack_prefix": "stacks/", "swarm_manager_role_name": "managers"}
    others = {"vpc_id": "", "vpc_cidr": "", "private_subnet_ids": "[]", "force_destroy": "true"}
    return {f"snapshot.{name}": value for name, value in {**values, **others}.items()}


def _of_marathon(lab, double):
    ec2 = lab.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    secret = lab.client("secretsmanager").create_secret(Name="marathon", SecretString=f"{HEADER}\n")["ARN"]
    values = {
        "runtime": "marathon",
        "vpc_id": vpc,
        "vpc_cidr": "10.0.0.0/16",
        "private_subnet_ids": json.dumps([subnet]),
        "dcos_url": double.url,
        "marathon_path": "",
        "marathon_ca_pem": double.ca,
        "marathon_auth_secret_arn": secret,
        "force_destroy": "true",
        **dict.fromkeys(("swarm_stack_bucket", "swarm_stack_prefix", "swarm_manager_role_name"), ""),
    }
    return {f"snapshot-dcos.{name}": value for name, value in values.items()}


@pytest.fixture(scope="module")
def applied(lab):
    return lab.document("apply", "lab", "--auto-approve")
