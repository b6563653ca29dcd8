"""What boto3 raises becomes words that an operator can act on."""

import botocore.exceptions as known
import pytest

from ngp.aws import failures
from ngp.errors import MissingError, NgpError


def of(error, profile="", absent=()):
    with pytest.raises(NgpError) as caught, failures.translated("s3:get_object on s3://b/k", profile, absent):
        raise error
    return caught.value


def answer(code, message="because", status=400):
    document = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return known.ClientError(document, "GetObject")


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidClientTokenId", "SignatureDoesNotMatch", "AuthFailure"])
def test_refused_credentials_are_a_missing_prerequisite(code):
    error = of(answer(code))
    assert error.exit_code == 69
    assert code in error.findings[0].why
    assert "sign in again" in error.findings[0].todo


@pytest.mark.parametrize("code", ["403", "AccessDenied", "AccessDeniedException", "UnauthorizedOperation"])
def test_denied_call_names_the_call_and_what_it_is_about(code):
    error = of(answer(code))
    assert isinstance(error, failures.DeniedError)
    assert error.exit_code == 69
    assert "s3:get_object on s3://b/k" in error.findings[0].what


def test_other_answer_of_aws_is_a_failure_with_its_own_words():
    error = of(answer("MalformedPolicy", "line 3"))
    assert (type(error), error.exit_code) == (NgpError, 1)
    assert error.findings[0].why == "MalformedPolicy: line 3"


@pytest.mark.parametrize(
    ("code", "status"), [("InternalError", 500), ("503", 503), ("SlowDown", 503), ("Throttling", 400)]
)
def test_a_service_that_fails_is_told_as_that_and_not_as_a_refusal(code, status):
    error = of(answer(code, status=status))
    assert error.exit_code == 69
    assert error.findings[0].what == "AWS cannot serve a call now"
    assert f"{code}: because (HTTP status {status})" in error.findings[0].why


def test_expected_absence_is_no_error():
    with failures.translated("s3:get_object", "", ("NoSuchKey",)):
        raise answer("NoSuchKey")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (known.NoCredentialsError(), "no AWS credentials found"),
        (known.PartialCredentialsError(provider="env", cred_var="secret"), "no AWS credentials found"),
        (known.ProfileNotFound(profile="shop"), "the AWS profile does not exist"),
        (known.UnauthorizedSSOTokenError(), "the AWS sign-in has expired"),
        (known.TokenRetrievalError(provider="sso", error_msg="x"), "the AWS sign-in has expired"),
        (known.EndpointConnectionError(endpoint_url="https://x"), "AWS cannot be reached"),
        (known.NoRegionError(), "AWS cannot be reached"),
        (known.IncompleteReadError(actual_bytes=1, expected_bytes=2), "an answer from AWS was cut off"),
        (known.ResponseStreamingError(error="reset"), "an answer from AWS was cut off"),
        (known.FlexibleChecksumError(error_msg="crc"), "an answer from AWS was cut off"),
    ],
)
def test_what_is_missing_says_how_to_get_it(error, words):
    translated = of(error, profile="shop")
    assert isinstance(translated, MissingError)
    assert words in translated.findings[0].what
    assert translated.findings[0].todo


def test_run_out_sign_in_names_the_command_for_the_profile():
    assert of(known.UnauthorizedSSOTokenError(), profile="shop").findings[0].todo == "aws sso login --profile shop"


def test_call_that_cannot_be_made_is_no_missing_prerequisite():
    assert type(of(known.ParamValidationError(report="too short"))) is NgpError
