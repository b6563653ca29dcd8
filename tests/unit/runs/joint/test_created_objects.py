"""What an apply may have made although no state has it, told from what Terraform says."""

import json

import pytest

from ngp.runs.joint import created_objects

HERE = "module.shop.aws_ssm_parameter.key"
PLUGIN = (
    "Plugin did not respond",
    "The plugin encountered an error, and failed to respond to the plugin.(*GRPCProvider).ApplyResourceChange call.",
)
CANCELLED = (
    "Request cancelled",
    "The plugin.(*GRPCProvider).ApplyResourceChange request was cancelled.",
)
INTERRUPTED = (
    "creating SSM Parameter (/shop/key)",
    "operation error SSM: PutParameter, https response error StatusCode: 0, RequestID: , canceled, context canceled",
)
REFUSED = ("creating SSM Parameter (/shop/key)", "operation error SSM: PutParameter, StatusCode: 400, AccessDenied")


def hook(kind, action="create"):
    return json.dumps({"type": kind, "hook": {"resource": {"addr": HERE}, "action": action, "elapsed_seconds": 1}})


def error(summary, detail, address=HERE):
    said = {"severity": "error", "summary": summary, "detail": detail, "address": address}
    return json.dumps({"type": "diagnostic", "diagnostic": said})


STARTED, DONE, FAILED = map(hook, ("apply_start", "apply_complete", "apply_errored"))


@pytest.mark.parametrize(
    ("said", "is_unknown"),
    [
        ([], False),
        ([STARTED], True),
        ([STARTED, DONE], True),  # as long as no state has it
        ([STARTED, FAILED], True),  # Terraform was killed before it said why
        ([STARTED, FAILED, error(*REFUSED)], False),
        ([STARTED, FAILED, error(*PLUGIN)], True),
        ([STARTED, FAILED, error(*CANCELLED)], True),
        ([STARTED, FAILED, error(*INTERRUPTED)], True),
        ([STARTED, FAILED, error(*REFUSED, address="module.shop.aws_ssm_parameter.other")], True),
        ([STARTED, DONE, error("Resource postcondition failed", "It is not as it should be.")], True),
        ([hook("apply_start", "delete"), hook("apply_errored", "delete")], False),
    ],
)
def test_what_began_may_exist_until_the_cloud_has_said_no(said, is_unknown):
    found = created_objects.read(said)
    assert found.unknown(()) == ((HERE,) if is_unknown else ())
    assert found.unknown({HERE}) == ()
