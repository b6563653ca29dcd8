"""Stands for the AWS command line: parameters, bucket, secrets and instances are files below $FAKE_AWS."""

import json
import shutil
from pathlib import Path

from tests.modules.swarm.fakes.calls import Failure


def answer(call):
    """What the command prints; raises Failure."""
    if (root(call) / "down").exists():
        refuse("RequestTimeout")
    return COMMANDS[call.words[1]](call)


def root(call):
    return Path(call.environ["FAKE_AWS"])


def note(call, file, *words):
    """One more line in a file that tests read."""
    with (root(call) / file).open("a") as notes:
        notes.write(" ".join(map(str, words)) + "\n")


def refuse(code):
    raise Failure(f"\nAn error occurred ({code}) when calling the operation: no")


def parameter_file(call, name):
    return root(call) / "parameters" / name.strip("/").replace("/", "%")


def get_parameter(call):
    file = parameter_file(call, call.option("--name"))
    if not file.exists():
        refuse("ParameterNotFound")
    return file.read_text()


def put_parameter(call):
    value = call.option("--value")
    if value.startswith("file://"):
        value = Path(value.removeprefix("file://")).read_text()
    file = parameter_file(call, call.option("--name"))
    file.parent.mkdir(parents=True, exist_ok=True)
    note(call, "puts", call.option("--name"), call.option("--type"), "--key-id" in call.words)
    try:
        with file.open("w" if "--overwrite" in call.words else "x") as out:
            out.write(value)
    except FileExistsError:
        refuse("ParameterAlreadyExists")


def get_parameters_by_path(call):
    prefix = call.option("--path").strip("/").replace("/", "%") + "%"
    files = sorted((root(call) / "parameters").glob(f"{prefix}*"))
    if call.option("--output") == "json":
        told = [{"Name": "/" + file.name.replace("%", "/"), "Value": file.read_text()} for file in files]
        return json.dumps({"Parameters": told})
    return "\t".join(file.read_text() for file in files) or "None"


def delete_parameter(call):
    parameter_file(call, call.option("--name")).unlink()


def describe_auto_scaling_groups(call):
    first = call.words.index("--filters") + 1
    wanted = {each.split(",")[0].split(":")[1]: each.rpartition("=")[2] for each in call.words[first : first + 3]}
    file = root(call) / "groups.json"
    groups = json.loads(file.read_text()) if file.exists() else []
    return json.dumps({"AutoScalingGroups": [each for each in groups if each["tags"] == wanted]})


def complete_lifecycle_action(call):
    note(call, "let_go", *map(call.option, ("--auto-scaling-group-name", "--lifecycle-hook-name", "--instance-id")))


def put_metric_data(call):
    note(call, "counted", *map(call.option, ("--namespace", "--metric-name", "--value")))


def sync(call):
    source, target = (argument for argument in call.words[2:] if not argument.startswith("--"))
    if not {"--delete", "--exact-timestamps"} <= set(call.words):
        refuse("StaleCopy")
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(root(call) / source.removeprefix("s3://"), target)


def get_secret_value(call):
    return (root(call) / "secrets" / call.option("--secret-id")).read_text()


def assume_role(call):
    """The n-th session of a role, unless IAM refuses it."""
    if (root(call) / "refused").exists():
        refuse("AccessDenied")
    note(call, "assumed", *map(call.option, ("--role-arn", "--role-session-name", "--duration-seconds")))
    number = len((root(call) / "assumed").read_text().splitlines())
    keys = {"AccessKeyId": f"ASIA{number}", "SecretAccessKey": "s", "SessionToken": "t"}
    return json.dumps({"Credentials": {**keys, "Expiration": "2099-01-01T00:00:00+00:00"}, "AssumedRoleUser": {}})


def describe_instances(call):
    file = root(call) / "instances" / call.option("--instance-ids")
    if not file.exists():
        refuse("InvalidInstanceID.NotFound")
    return file.read_text()


COMMANDS = {
    "get-parameter": get_parameter,
    "put-parameter": put_parameter,
    "get-parameters-by-path": get_parameters_by_path,
    "delete-parameter": delete_parameter,
    "describe-auto-scaling-groups": describe_auto_scaling_groups,
    "complete-lifecycle-action": complete_lifecycle_action,
    "put-metric-data": put_metric_data,
    "sync": sync,
    "get-secret-value": get_secret_value,
    "describe-instances": describe_instances,
    "assume-role": assume_role,
}
