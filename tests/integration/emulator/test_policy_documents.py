"""JSON documents in resources: applied on the sandbox and planned again, nothing has changed."""

import json
import shutil
from pathlib import Path

import pytest

from ngp.aws import access
from ngp.aws.session import Session
from tests.harness import new_account
from tests.modules.lab import Lab, lay_platform, open_lab

ACCOUNT = new_account()
PLATFORM = Path(__file__).parents[2] / "platforms" / "documents"
ALLOW = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
POLICY = {"Version": "2012-10-17", "Statement": [ALLOW]}
MACHINE = {"StartAt": "First", "States": {"First": {"Type": "Pass", "End": True}}}


@pytest.fixture
def session(sandbox):
    return Session(access.sandbox({}, sandbox.url, "eu-central-1", ACCOUNT))


@pytest.mark.sandbox
def test_a_queue_keeps_each_policy_and_writes_redrive_policies_as_terraform_does(session):
    def attributes(url, *names):
        return session.call("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=list(names))["Attributes"]

    dead, url = (session.call("sqs", "create_queue", QueueName=name)["QueueUrl"] for name in ("dead", "busy"))
    arn = attributes(dead, "QueueArn")["QueueArn"]
    assert "RedriveAllowPolicy" not in attributes(url, "All")
    for given in (
        {"Policy": json.dumps(POLICY)},
        {"RedrivePolicy": f'{{ "maxReceiveCount" : 4, "deadLetterTargetArn" : "{arn}" }}'},
        {"RedriveAllowPolicy": '{ "redrivePermission" : "denyAll" }'},
    ):
        session.call("sqs", "set_queue_attributes", QueueUrl=url, Attributes=given)
    shown = attributes(url, "Policy", "RedrivePolicy", "RedriveAllowPolicy")
    assert json.loads(shown.pop("Policy")) == POLICY
    assert shown == {
        "RedrivePolicy": f'{{"deadLetterTargetArn":"{arn}","maxReceiveCount":4}}',
        "RedriveAllowPolicy": '{"redrivePermission":"denyAll"}',
    }
    session.call("sqs", "set_queue_attributes", QueueUrl=url, Attributes={"Policy": "", "RedrivePolicy": ""})
    assert attributes(url, "All").keys() & {"Policy", "RedrivePolicy"} == set()


@pytest.mark.sandbox
def test_the_definition_of_a_state_machine_is_checked_and_its_versions_are_listed(session):
    def check(text):
        return session.call("stepfunctions", "validate_state_machine_definition", definition=text)["result"]

    assert [check(json.dumps(MACHINE)), check("[]"), check("{")] == ["OK", "FAIL", "FAIL"]
    role = f"arn:aws:iam::{ACCOUNT}:role/made"
    given = {"name": "counted", "definition": json.dumps(MACHINE), "roleArn": role, "publish": True}
    made = session.call("stepfunctions", "create_state_machine", **given)
    arn = made["stateMachineArn"]
    listed = session.call("stepfunctions", "list_state_machine_versions", stateMachineArn=arn)
    assert [each["stateMachineVersionArn"] for each in listed["stateMachineVersions"]] == [f"{arn}:1"]


@pytest.mark.sandbox
def test_the_policy_of_an_api_comes_with_escaped_quotes(session):
    made = session.call("apigateway", "create_rest_api", name="guarded", policy=json.dumps(POLICY))
    shown = session.call("apigateway", "get_rest_api", restApiId=made["id"])["policy"]
    assert '\\"Version\\"' in shown
    assert json.loads(json.loads(f'"{shown}"')) == POLICY


@pytest.fixture(scope="module")
def lab(tmp_path_factory, ngp_in):
    path = tmp_path_factory.mktemp("documents")
    lay_platform(path)
    shutil.copytree(PLATFORM / "modules", path / "modules")
    with open_lab(Lab(ngp_in(path))) as made:
        yield made


@pytest.mark.sandbox
@pytest.mark.terraform
@pytest.mark.slow
def test_documents_of_every_common_type_do_not_change_again(lab):
    """Each is written by hand, with blanks and an unusual order of keys, and by jsonencode."""
    lab.configure("documents", values={"documents.words": "documents"})
    lab.told("apply", "lab", "--auto-approve")
    again = lab.units("plan", "lab")["documents"]
    assert {one["address"] for one in again["changes"]} == set()
    assert again["outcome"] == "no_changes"
