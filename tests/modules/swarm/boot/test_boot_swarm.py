"""The cluster's boot for real: Docker on every node, brought together by the module's own scripts and nothing else.

The tests stand in the order in which they are to run: each goes on with what the one before it left.
"""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
import yaml

from tests.modules import machine_roles, switch
from tests.modules.sandbox_account import SandboxAccount
from tests.modules.swarm.boot import images
from tests.modules.swarm.boot import lab as labs

ROOT = Path(__file__).parents[4]
ACCOUNT, REGION = "770000000001", "eu-central-1"
IMAGES = f"{switch.GATEWAY}:5000"  # nobody answers there
PASSWORD = "correct-horse-battery"
ADDRESSES = [f"{switch.NETWORK}.{11 + number}" for number in range(3)]
PARAMETERS = "/ngp/shop/lab/swarm/swarm"
APPLIED = (
    "swarm.aws_instance.manager",
    "swarm.aws_launch_template.worker",
    "swarm.aws_s3_object.router",
    "swarm.aws_iam_role_policy.manager",
    "swarm.aws_iam_role_policy.worker",
    "docker-registry",
)
HOST = "registry.lab.example.test"
# All that a stack file says otherwise here: the bucket is the sandbox's, and no load balancer ends TLS.
IN_THE_LAB = {
    "REGISTRY_STORAGE_S3_REGIONENDPOINT": f"http://{switch.GATEWAY}:{switch.SANDBOX_PORT}",
    "REGISTRY_STORAGE_S3_SECURE": "false",
    "REGISTRY_HTTP_HOST": f"http://{HOST}",
    # Debian's registry is of release 2, whose driver asks no credential_process: it reads the same session from here.
    "AWS_SHARED_CREDENTIALS_FILE": "/run/ngp/role/credentials",
}
pytestmark = [
    pytest.mark.proves("real", "swarm", "docker-registry"),
    pytest.mark.integration,
    pytest.mark.docker,
    pytest.mark.terraform,
    pytest.mark.sandbox,
    pytest.mark.slow,
]


class AppliedSwarm:
    """The module `swarm`, applied in an account of the sandbox."""

    def __init__(self, path, sandbox, mirror):
        self.path, self.account = path, SandboxAccount(ACCOUNT, sandbox.url)
        self.url, self.client, self.ec2 = self.account.url, self.account.client, self.account.ec2
        (path / "main.tf").write_text((Path(__file__).parent / "platform/main.tf").read_text())
        (path / "modules").symlink_to(ROOT / "modules")
        place = {"vpc_id": self.account.vpc, "subnet_id": self.account.subnet}
        values = {**place, "addresses": ADDRESSES, "image_registry": IMAGES}
        (path / "lab.auto.tfvars.json").write_text(json.dumps({**values, "registry_password": PASSWORD}))
        self.account.terraform(path, "init", "-plugin-dir", mirror)

    def apply(self, *targets, flags=()):
        self.account.apply(self.path, *targets, flags=flags)

    def manager(self, slot):
        """The slot's running instance, its user data, and the session of its role."""
        wanted = {"private-ip-address": ADDRESSES[slot - 1], "instance-state-name": "running"}
        [instance] = self.account.instances(wanted)
        return self.account.bootable(instance)

    def worker(self):
        """What the pool's group makes of its template."""
        [template] = self.ec2.describe_launch_templates()["LaunchTemplates"]
        asked = {"LaunchTemplateId": template["LaunchTemplateId"]}
        [version] = self.ec2.describe_launch_template_versions(**asked)["LaunchTemplateVersions"]
        sizes = {"MinCount": 1, "MaxCount": 1, "SubnetId": self.account.subnet}
        [instance] = self.ec2.run_instances(LaunchTemplate=asked, **sizes)["Instances"]
        given = version["LaunchTemplateData"]
        return instance, given["UserData"], machine_roles.metadata(self.client, {**given, **instance})

    def parameters(self):
        """By the end of their names; there is one life of the cluster."""
        asked = {"Path": PARAMETERS, "Recursive": True, "WithDecryption": True}
        pages = self.client("ssm").get_paginator("get_parameters_by_path").paginate(**asked)
        found = [each for page in pages for each in page["Parameters"]]
        return {each["Name"].removeprefix(PARAMETERS).split("/", 2)[2]: each["Value"] for each in found}

    def store_manager(self, slot, address):
        """As a manager leaves its address there, and then ends."""
        ssm = self.client("ssm")
        told = ssm.get_parameters_by_path(Path=PARAMETERS, Recursive=True)["Parameters"]
        [first] = [each["Name"] for each in told if each["Name"].endswith("/managers/1")]
        ssm.put_parameter(Name=f"{first.removesuffix('1')}{slot}", Value=address, Type="String")

    def renew_manager(self, slot):
        address = f'swarm.aws_instance.manager["{slot}"]'
        self.apply(address, flags=["-refresh=false", f"-replace=module.{address}"])
        return self.manager(slot)

    def take_registry_out(self):
        """The registry's files, by key, which are in the cluster's bucket no longer."""
        s3, found = self.client("s3"), {}
        for bucket, each in self.objects("stacks/docker-registry/"):
            found[bucket, each] = s3.get_object(Bucket=bucket, Key=each)["Body"].read()
            s3.delete_object(Bucket=bucket, Key=each)
        return found

    def objects(self, prefix):
        """Bucket and key of what lies below the prefix in any bucket."""
        s3 = self.client("s3")
        for bucket in [each["Name"] for each in s3.list_buckets()["Buckets"]]:
            for each in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", []):
                yield bucket, each["Key"]


@pytest.fixture(scope="module")
def region(tmp_path_factory, sandbox, mirror_of_providers):
    made = AppliedSwarm(tmp_path_factory.mktemp("region"), sandbox, mirror_of_providers)
    made.apply(*APPLIED)
    made.registry_files = made.take_registry_out()
    return made


@pytest.fixture(scope="module")
def lab(tmp_path_factory, region):
    made = labs.Lab(tmp_path_factory.mktemp("nodes"), region.url)
    try:
        for slot in (1, 2, 3):
            made.start(f"m{slot}", *region.manager(slot))
        made.start("w1", *region.worker())
        yield made
    finally:
        made.end()


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    """Image to its file system."""
    folder = tmp_path_factory.mktemp("images")
    router = images.lay(folder / "router", {"traefik": images.TRAEFIK})
    return {
        f"{IMAGES}/traefik:v3.7.15": images.pack(router, folder / "router.tar"),
        f"{IMAGES}/registry:2.8.2": images.pack(images.registry(folder / "registry"), folder / "registry.tar"),
    }


def hand_out(archives, nodes):
    """What the nodes would pull."""
    entry = ("--change", 'ENTRYPOINT ["/traefik"]')  # the registry's stack file has its own
    together(partial(node.docker, "import", *entry, file, name) for node in nodes for name, file in archives.items())


def together(calls):
    with ThreadPoolExecutor() as pool:
        return [each.result() for each in [pool.submit(call) for call in calls]]


def members(node):
    """Name to role and state, and what it is for the managers, as `node` sees it."""
    rows = node.docker("node", "ls", "--format", "{{.Hostname}} {{.Status}} {{.ManagerStatus}}").splitlines()
    return {row.split()[0]: " ".join(row.split()[1:]) for row in rows}


def leader(lab):
    asked = ("docker", "node", "inspect", "self", "--format", "{{.ManagerStatus.Leader}}")
    [found] = [node for node in lab.managers() if node.run(*asked).stdout.strip() == "true"]
    return found


def answers(lab, *argv):
    """What curl prints on the worker: the body, and the status after a space."""
    return lab.nodes["w1"].run("curl", "-s", "-m", "5", "-w", " %{http_code}", *argv).stdout.strip()


def every_router_answers(lab):
    return all(answers(lab, f"http://{address}/status") == "OK 200" for address in ADDRESSES)


def test_four_nodes_that_boot_at_once_become_one_cluster(lab, region):
    together([node.boot for node in lab.nodes.values()])
    seen = members(lab.nodes["m1"])
    assert sorted(seen) == ["m1", "m2", "m3", "w1"]
    assert sorted(seen.values()) == ["Ready", "Ready Leader", "Ready Reachable", "Ready Reachable"]
    parameters = region.parameters()
    assert {name: parameters[f"managers/{name}"] for name in "123"} == dict(zip("123", ADDRESSES, strict=True))
    for role in ("manager", "worker"):
        assert parameters[f"token-{role}"] == leader(lab).docker("swarm", "join-token", "-q", role)
    assert leader(lab).name == f"m{parameters['leader']}"


def test_each_node_has_the_rights_of_its_role_and_no_other(lab):
    """All that the scripts call at the sandbox is allowed by the role's policies, or they would not come this far."""
    token = lab.nodes["m1"].told("sh", "-c", ". /etc/ngp/swarm.env; echo $PARAMETER_PREFIX/token-manager")
    ask = ("aws", "--region", REGION, "ssm", "get-parameter", "--output", "text", "--name")
    assert lab.nodes["m1"].run(*ask, token).returncode == 0
    for node, name in (("w1", token), ("m1", "/other/secret")):
        assert "AccessDenied" in lab.nodes[node].run(*ask, name).stderr


def test_leader_deploys_the_router_and_the_others_do_nothing(lab, archives):
    hand_out(archives, lab.nodes.values())
    leading = leader(lab)
    for node in lab.managers():
        if node is not leading:
            node.sync()
    assert leading.docker("stack", "ls", "--format", "{{.Name}}") == ""
    leading.sync()
    assert leading.docker("stack", "ls", "--format", "{{.Name}}") == "router"
    assert leading.docker("node", "inspect", "w1", "--format", "{{.Spec.Labels.pool}}") == "web"
    switch.wait_until(partial(every_router_answers, lab), 90)
    assert answers(lab, "-H", "Host: lab.example.test", f"http://{ADDRESSES[0]}/status") == "OK 200"
    assert answers(lab, "-H", f"Host: {HOST}", f"http://{ADDRESSES[0]}/v2/").endswith(" 404")
    assert "swarm_manager_nodes" in answers(lab, f"http://{leading.address}:9323/metrics")


def test_router_holds_a_socket_that_only_reads(lab):
    """It has just found what it routes by it; everything else is refused on the very socket that it mounts."""
    ask = ("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--unix-socket", "/run/ngp-view/docker.sock")
    node = leader(lab)
    assert node.told(*ask, "http://docker/v1.41/services") == "200"
    assert node.told(*ask, "http://docker/v1.41/swarm") == "403"
    assert node.told(*ask, "-X", "POST", "http://docker/v1.41/services/create") == "501"
    mounts = node.docker(
        "service", "inspect", "router_traefik", "--format", "{{json .Spec.TaskTemplate.ContainerSpec.Mounts}}"
    )
    assert [each["Source"] for each in json.loads(mounts)] == ["/run/ngp-view"]


def test_container_reaches_the_metadata_in_the_nodes_network_only(lab):
    """The lab's metadata answers from any number of hops, so it is the rule before Docker that is seen here."""
    node = lab.nodes["w1"]
    ask = ("curl", "-s", "-m", "3", "-o", "/dev/null", "-w", "%{http_code}", f"http://{switch.METADATA}/latest")
    for network, answer in (("bridge", "000"), ("host", "401")):
        entry = ("--entrypoint", "/bin/busybox", f"{IMAGES}/traefik:v3.7.15", "sleep", "60")
        container = node.docker("run", "-d", "--rm", "--network", network, *entry)
        pid = node.docker("inspect", "--format", "{{.State.Pid}}", container)
        assert node.run("nsenter", "-t", pid, "-n", *ask).stdout == answer, network
        node.docker("kill", container)


def test_the_leader_counts_what_the_alarm_waits_for(lab, region):
    [metric] = region.client("cloudwatch").list_metrics(Namespace="ngp/swarm")["Metrics"]
    assert f"METRIC='{metric['MetricName']}'" in lab.nodes["m1"].told("cat", "/etc/ngp/swarm.env")


def test_registry_that_is_put_there_later_is_deployed(lab, region):
    for (bucket, key), body in region.registry_files.items():
        if key.endswith("stack.yml"):
            stack = yaml.safe_load(body)
            stack["services"]["registry"]["environment"] |= IN_THE_LAB
            body = yaml.safe_dump(stack).encode()
        region.client("s3").put_object(Bucket=bucket, Key=key, Body=body)
    for node in lab.managers():
        node.sync()
        folder = "/run/ngp/roles/docker-registry/storage"
        session = json.loads(node.told("cat", f"{folder}/session.json"))
        names = {
            "AccessKeyId": "access_key_id",
            "SecretAccessKey": "secret_access_key",
            "SessionToken": "session_token",
        }
        lines = [f"aws_{name} = {session[key]}" for key, name in names.items()]
        node.write(f"{folder}/credentials", "\n".join(["[default]", *lines, ""]), "0600")
    call = (lab, "-u", f"registry:{PASSWORD}", "-H", f"Host: {HOST}", f"http://{ADDRESSES[1]}/v2/")
    switch.wait_until(lambda: answers(*call) == "{} 200", 90)
    assert answers(lab, "-H", f"Host: {HOST}", f"http://{ADDRESSES[1]}/v2/").endswith(" 401")


def _lists(*call):
    return answers(*call).split() == ['{"repositories":[]}', "200"]


def test_registry_reaches_its_bucket_by_a_role_of_its_own(lab, region):
    """It lists the bucket behind every manager's router; its keys are a session's, and the cluster has its login."""
    for address in ADDRESSES:
        call = (lab, "-u", f"registry:{PASSWORD}", "-H", f"Host: {HOST}", f"http://{address}/v2/_catalog")
        try:
            switch.wait_until(partial(_lists, *call), 90)
        except AssertionError as error:
            raise AssertionError(
                answers(*call) + leader(lab).docker("service", "logs", "docker-registry_registry")
            ) from error
    for node in lab.managers():
        node.sync()
        session = json.loads(node.told("cat", "/run/ngp/roles/docker-registry/storage/session.json"))
        assert session["AccessKeyId"].startswith("ASIA")
    auths = json.loads(leader(lab).told("sh", "-c", "cat ~/.docker/config.json"))["auths"]
    assert base64.b64decode(auths[HOST]["auth"]).decode() == f"registry:{PASSWORD}"


def test_pushed_image_lies_in_the_bucket_and_comes_back(lab, region, archives):
    worker = lab.nodes["w1"]
    worker.told("sh", "-c", f"echo {ADDRESSES[2]} {HOST} >>/etc/hosts")
    worker.docker("save", "-o", "/run/image.tar", f"{IMAGES}/registry:2.8.2")
    skopeo = ("skopeo", "--insecure-policy", "copy")
    there = f"docker://{HOST}/shop/tool:1"
    login = f"registry:{PASSWORD}"
    worker.told(*skopeo, "--dest-tls-verify=false", "--dest-creds", login, "docker-archive:/run/image.tar", there)
    [bucket] = {bucket for bucket, _ in region.objects("docker-registry/docker/registry/v2/repositories/shop/tool/")}
    assert bucket.startswith("shop-a-docker-registry-lab-")
    blobs = [key for _, key in region.objects("docker-registry/docker/registry/v2/blobs/")]
    assert len(blobs) == 3  # a layer, a configuration, a manifest
    worker.told(*skopeo, "--src-tls-verify=false", "--src-creds", login, there, "dir:/run/pulled")
    assert worker.run(*skopeo, "--src-tls-verify=false", there, "dir:/run/refused").returncode != 0


def deployed(lab):
    """What the cluster is made of, with the version of everything that a deployment would raise."""
    leading = leader(lab)
    kinds = ("node", "network", "config", "secret", "service")
    facts = {kind: sorted(leading.docker(kind, "ls", "-q").split()) for kind in kinds}
    versions = leading.docker("service", "inspect", *facts["service"], "--format", "{{.ID}} {{.Version.Index}}")
    return {**facts, "versions": versions, "daemons": [each.told("cat", "/run/docker.pid") for each in lab.managers()]}


def test_booting_and_syncing_again_changes_nothing_but_forgets_who_is_gone(lab, region):
    before, stored = deployed(lab), region.parameters()
    region.store_manager("9", f"{switch.NETWORK}.99")
    together([node.boot for node in lab.nodes.values()])
    together([node.sync for node in lab.managers()])
    assert deployed(lab) == before
    assert region.parameters() == stored
    assert all("is a member already" in node.log() for node in lab.nodes.values())


@pytest.fixture(scope="module")
def lost(lab):
    """The number of the leader, whose Docker is gone at once; the cluster's id."""
    leading = leader(lab)
    cluster = leading.docker("info", "--format", "{{.Swarm.Cluster.ID}}")
    leading.told("sh", "-c", "kill -KILL $(cat /run/docker.pid)")
    return int(leading.name[1:]), cluster


def test_others_go_on_without_their_leader(lab, lost):
    others = [node for node in lab.managers() if node.name != f"m{lost[0]}"]
    switch.wait_until(lambda: "Unreachable" in members(others[0])[f"m{lost[0]}"], 90)
    assert leader(lab) in others
    leader(lab).sync()
    assert {answers(lab, f"http://{node.address}/status") for node in others} == {"OK 200"}


def test_manager_that_is_made_anew_joins_and_its_predecessor_goes(lab, region, archives, lost):
    slot, cluster = lost
    lab.lose(f"m{slot}")
    anew = lab.start(f"m{slot}", *region.renew_manager(slot))
    anew.boot()
    assert region.parameters()["leader"] == str(slot), "it had the claim, and made no second cluster of it"
    assert anew.docker("info", "--format", "{{.Swarm.Cluster.ID}}") == cluster

    def is_whole():
        leader(lab).sync()
        rows = leader(lab).docker("node", "ls", "--format", "{{.Hostname}} {{.Status}}").splitlines()
        return sorted(rows) == ["m1 Ready", "m2 Ready", "m3 Ready", "w1 Ready"]

    switch.wait_until(is_whole, 120)
    hand_out(archives, [anew])
    switch.wait_until(partial(every_router_answers, lab), 90)


def test_worker_that_powers_off_leaves(lab):
    worker = lab.nodes["w1"]
    worker.write("/run/jobs", "71 poweroff.target start waiting\n")
    worker.told("systemctl", "stop", "ngp-swarm.service")
    assert worker.docker("info", "--format", "{{.Swarm.LocalNodeState}}") == "inactive"
    switch.wait_until(lambda: members(leader(lab))["w1"] == "Down")
