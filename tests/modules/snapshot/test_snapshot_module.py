"""The module on the sandbox, for Swarm and for Marathon side by side; the function as the bucket has it, beside the
double of Marathon.

The tests stand in the order in which they are to run; the last destroys what the first made.
"""

import io
import json
import os
import subprocess
import sys
import zipfile

import pytest

from tests.modules.snapshot.apps import REGISTRY, WEB

pytestmark = [
    pytest.mark.proves("applied", "snapshot"),
    pytest.mark.integration,
    pytest.mark.terraform,
    pytest.mark.sandbox,
    pytest.mark.slow,
]
CALL = "import handler, json, sys; print(json.dumps(handler.handle(json.load(sys.stdin))))"


@pytest.fixture(scope="module")
def function(lab, applied, tmp_path_factory):
    """`function(event)` runs the code that the function was made from, with the function's own environment."""
    folder = tmp_path_factory.mktemp("function")
    bucket = lab.outputs("snapshot-dcos")["snapshot_bucket"]
    archive = lab.client("s3").get_object(Bucket=bucket, Key="_code/snapshot.zip")["Body"].read()
    zipfile.ZipFile(io.BytesIO(archive)).extractall(folder)
    name = lab.outputs("snapshot-dcos")["snapshot_function_name"]
    made = lab.client("lambda").get_function_configuration(FunctionName=name)
    assert made["Handler"] == "handler.handle"
    env = {"PATH": os.environ["PATH"], **lab.keys, **made["Environment"]["Variables"]}

    def call(event):
        argv = [sys.executable, "-c", CALL]
        done = subprocess.run(argv, cwd=folder, env=env, input=json.dumps(event), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return call


def posted(function, body):
    """The answer to POST /restore, as API Gateway has it from the function (format 2.0)."""
    event = {
        "version": "2.0",
        "routeKey": "POST /restore",
        "requestContext": {"http": {"method": "POST"}},
        "body": body,
    }
    answer = function(event)[-1]
    return answer["statusCode"], json.loads(answer["body"])


def test_both_come_up_and_a_second_plan_is_empty(lab, applied):
    assert {unit["unit"]: unit["outcome"] for unit in applied["units"]} == {
        "snapshot": "applied",
        "snapshot-dcos": "applied",
    }
    again = lab.ngp.run("plan", "lab", "--detailed-exitcode")
    assert again.exit_code == 0, again.stdout


def test_the_schedule_calls_the_function_and_only_signed_calls_restore(lab, applied):
    shown = lab.outputs("snapshot-dcos")
    events, gateway, functions = (lab.client(name) for name in ("events", "apigatewayv2", "lambda"))
    [rule] = events.list_rules()["Rules"]
    [target] = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    assert (rule["ScheduleExpression"], rule["State"]) == ("rate(1 hour)", "ENABLED")
    assert json.loads(target["Input"]) == {"action": "save"}
    [api] = gateway.get_apis()["Items"]
    [route] = gateway.get_routes(ApiId=api["ApiId"])["Items"]
    assert (route["RouteKey"], route["AuthorizationType"]) == ("POST /restore", "AWS_IAM")
    assert shown["snapshot_restore_url"] == f"{api['ApiEndpoint']}/restore"
    policy = json.loads(functions.get_policy(FunctionName=shown["snapshot_function_name"])["Policy"])
    callers = {each["Principal"]["Service"]: each["Condition"]["ArnLike"] for each in policy["Statement"]}
    assert callers["apigateway.amazonaws.com"]["AWS:SourceArn"].endswith(f":{api['ApiId']}/*/POST/restore")
    assert callers["events.amazonaws.com"]["AWS:SourceArn"] == rule["Arn"]


def test_missing_snapshots_raise_an_alarm_and_so_does_missing_data(lab, applied):
    name = lab.outputs("snapshot")["snapshot_alarm_name"]
    [alarm] = lab.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert (alarm["Period"] * alarm["EvaluationPeriods"], alarm["TreatMissingData"]) == (7200, "breaching")
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
    assert alarm["AlarmActions"] == [lab.client("sns").list_topics()["Topics"][0]["TopicArn"]]
    [counted] = lab.client("logs").describe_metric_filters(filterNamePrefix="lab-one-snapshot-lab")["metricFilters"]
    assert counted["metricTransformations"][0]["metricName"] == alarm["MetricName"]
    assert counted["filterPattern"] == '{ $.event = "saved" }'


def test_a_restore_without_any_snapshot_is_said(function):
    status, said = posted(function, "")
    assert status == 404
    assert "no snapshot" in said["error"]


def test_a_save_is_an_object_with_its_manifest_and_a_line_that_the_alarm_counts(lab, function, double):
    line, manifest = function({"action": "save"})
    assert line == {"event": "saved", **manifest}
    assert (manifest["runtime"], manifest["apps"], manifest["version"]) == ("marathon", 2, "2015-09-29T15:59:51.164Z")
    bucket, key = lab.outputs("snapshot-dcos")["snapshot_bucket"], manifest["key"]
    assert key.startswith("lab/20")
    s3 = lab.client("s3")
    saved = s3.get_object(Bucket=bucket, Key=key)
    assert json.loads(saved["Body"].read())["id"] == "/"
    assert saved["ServerSideEncryption"] == "aws:kms"
    beside = s3.get_object(Bucket=bucket, Key=key.replace(".json", ".manifest.json"))["Body"].read()
    assert json.loads(beside) == manifest
    assert double.calls[-1][1] == "/v2/groups"


def test_the_api_puts_back_what_is_gone(function, double):
    del double.apps["/shop/web"]
    status, said = posted(function, json.dumps({"dry_run": True}))
    assert (status, [each["action"] for each in said["changes"]]) == (200, ["create", "none"])
    assert "/shop/web" not in double.apps
    status, said = posted(function, None)
    assert (status, said["mode"]) == (200, "merge")
    assert double.apps["/shop/web"]["cmd"] == WEB["cmd"]


def test_the_api_replaces_all_only_when_it_is_told_to(function, double):
    double.apps["/new"] = {"id": "/new", "cmd": "new"}
    posted(function, "{}")
    assert "/new" in double.apps
    double.locked = {"/new": 1}
    status, said = posted(function, '{"mode": "replace"}')
    assert (status, said["changes"][0]["outcome"]) == (409, "locked")
    status, _ = posted(function, '{"mode": "replace"}')
    assert (status, double.apps.keys()) == (200, {REGISTRY["id"], WEB["id"]})


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("{", "not JSON"),
        ("[]", "a JSON object"),
        ('{"dryrun": true}', "unknown key 'dryrun'"),
        ('{"dry_run": "false"}', "dry_run must be of type bool"),
        ('{"mode": "all"}', "merge or replace"),
    ],
)
def test_the_api_refuses_what_it_does_not_understand(function, body, says):
    status, said = posted(function, body)
    assert status == 400
    assert says in said["error"]


@pytest.mark.parametrize(
    ("key", "says"), [("lab/2020/01/01/000000.json", "no lab/2020"), ("_code/x.json", "lie below")]
)
def test_the_api_says_which_snapshot_is_not_there(function, key, says):
    status, said = posted(function, json.dumps({"snapshot": key}))
    assert status == 404
    assert says in said["error"]


def test_a_marathon_that_refuses_is_told(function, double):
    known, double.authorization = double.authorization, "token=another"
    status, said = posted(function, None)
    double.authorization = known
    assert status == 502
    assert "401" in said["error"]


def test_a_snapshot_that_was_changed_is_not_restored(lab, function, double):
    _, manifest = function({"action": "save"})
    bucket = lab.outputs("snapshot-dcos")["snapshot_bucket"]
    lab.client("s3").put_object(Bucket=bucket, Key=manifest["key"], Body=b'{"id": "/", "apps": []}')
    status, said = posted(function, json.dumps({"snapshot": manifest["key"], "mode": "replace"}))
    assert status == 422
    assert "checksum" in said["error"]
    assert double.apps


def test_destroy_leaves_nothing(lab, applied):
    consent = [word for unit in ("snapshot", "snapshot-dcos") for word in ("--accept-data-loss", unit)]
    document = lab.document("destroy", "lab", "--auto-approve", *consent)
    assert {unit["outcome"] for unit in document["units"]} == {"destroyed"}
    assert lab.client("lambda").list_functions()["Functions"] == []
    assert lab.client("apigatewayv2").get_apis()["Items"] == []
    assert lab.client("logs").describe_log_groups()["logGroups"] == []
    assert lab.client("s3").list_objects_v2(Bucket="lab-files").get("Contents", []) == []
    names = {bucket["Name"] for bucket in lab.client("s3").list_buckets()["Buckets"]}
    assert not {name for name in names if name.startswith("lab-one")}
