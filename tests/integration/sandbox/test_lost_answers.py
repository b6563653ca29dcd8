"""The running emulator and calls that are sent again, as an SDK does when an answer was lost."""

import threading

import boto3
import pytest
from botocore.config import Config

from tests.harness import new_account

pytestmark = pytest.mark.sandbox
KEYS = {"aws_access_key_id": new_account(), "aws_secret_access_key": "sandbox"}


@pytest.fixture
def client(sandbox):
    once = Config(retries={"total_max_attempts": 1})
    return lambda service: boto3.client(service, "eu-central-1", endpoint_url=sandbox.url, config=once, **KEYS)


def test_a_create_that_is_sent_again_gets_its_first_answer(client):
    """Terraform would report that the parameter already exists, though nobody had made it."""
    ssm = client("ssm")

    def name_the_call(request, **_):
        request.headers["amz-sdk-invocation-id"] = "e471f97c-f5b3-49f6-bae1-d6b7b6b8a6d7"

    ssm.meta.events.register("before-send.ssm.PutParameter", name_the_call)
    answers = [ssm.put_parameter(Name="/sent/twice", Value="v", Type="String") for _ in range(2)]
    assert [answer["Version"] for answer in answers] == [1, 1]

    ssm.meta.events.unregister("before-send.ssm.PutParameter", name_the_call)
    with pytest.raises(ssm.exceptions.ParameterAlreadyExists):
        ssm.put_parameter(Name="/sent/twice", Value="v", Type="String")


def test_a_queue_that_is_waited_for_can_be_sent_to(client):
    sqs = client("sqs")
    queue, received = sqs.create_queue(QueueName="waited-for")["QueueUrl"], []
    waiting = threading.Thread(
        target=lambda: received.extend(sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20).get("Messages", ()))
    )
    waiting.start()
    client("sqs").send_message(QueueUrl=queue, MessageBody="hello")
    waiting.join(10)
    assert [one["Body"] for one in received] == ["hello"]
