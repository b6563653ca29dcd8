"""Both kinds of the module, applied in one environment of the sandbox, and what they stand on there."""

import datetime
import ipaddress
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.doubles.marathon import Marathon

ROOT = Path(__file__).parents[3]
REGISTRY = {"id": "/tools/registry", "instances": 1, "cmd": "registry serve", "portDefinitions": [{"port": 5000}]}
WEB = {"id": "/shop/web", "instances": 2, "cmd": "web"}
HEADER = "token=eyJhbGciOi"


class Lab:
    def __init__(self, ngp):
        self.ngp, self.path = ngp, ngp.cwd
        self._keys = None

    def told(self, *argv):
        outcome = self.ngp.run(*argv, timeout=800)
        assert outcome.exit_code == 0, (argv, outcome.stdout[-3000:], outcome.stderr[-3000:])
        return outcome.stdout

    def document(self, *argv):
        return json.loads(self.told(*argv, "--json"))

    def outputs(self, unit):
        told = self.document("output", "lab", unit)["units"][unit]
        return {name: each["value"] for name, each in told.items()}

    @property
    def keys(self):
        """The environment in which any client reaches the sandbox."""
        if self._keys is None:
            words = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
            asked = " ".join(f'"${word}"' for word in words)
            script = f"{self.told('sandbox', 'env')}\nprintf '%s\\n' {asked}"
            said = subprocess.run(["bash", "-c", script], capture_output=True, check=True, text=True).stdout.split()
            self._keys = {**dict(zip(words, said, strict=True)), "AWS_DEFAULT_REGION": "eu-central-1"}
        return self._keys

    def client(self, service):
        import boto3

        keys = {name.lower(): value for name, value in self.keys.items()}
        named = {name: keys[name] for name in ("aws_access_key_id", "aws_secret_access_key")}
        return boto3.client(service, endpoint_url=keys["aws_endpoint_url"], region_name="eu-central-1", **named)


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
    shutil.copytree(ROOT / "modules/snapshot", path / "modules/snapshot")
    shutil.copy2(ROOT / ".terraform.lock.hcl", path / ".terraform.lock.hcl")
    (path / "ngp.yaml").write_text("name: lab\n")
    made = Lab(ngp_in(path))
    made.told("env", "new", "lab", "--sandbox", "--region", "eu-central-1", "--domain", "lab.example.test")
    made.told("sandbox", "start")
    topic = made.client("sns").create_topic(Name="alarms")["TopicArn"]
    common = {"pre_tag": "lab-one", "post_tag": "lab", "alarm_topic_arn": topic}
    values = {**common, **_of_swarm(made), **_of_marathon(made, double)}
    words = [word for name, value in values.items() for word in ("--set", f"{name}={value}")]
    made.told("configure", "lab", "--no-input", "--module", "snapshot", "--module", "snapshot-dcos=snapshot", *words)
    made.told("render", "lab")
    yield made
    made.ngp.run("sandbox", "stop")


def _of_swarm(lab):
    role = json.dumps({"Version": "2012-10-17", "Statement": []})
    lab.client("iam").create_role(RoleName="managers", AssumeRolePolicyDocument=role)
    lab.client("s3").create_bucket(Bucket="lab-files", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
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
