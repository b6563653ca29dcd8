"""Translates boto3 exceptions into errors with a fix."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from ngp.errors import MissingError, NgpError

_NOT_VALID = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidToken",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_DENIED = frozenset({"403", "AccessDenied", "AccessDeniedException", "Forbidden", "UnauthorizedOperation"})
_SERVER_FAULT = 500
_SIGN_IN = "export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or set AWS_PROFILE (or `profile` in environment.yaml)"


_BUSY = frozenset({"RequestLimitExceeded", "SlowDown", "Throttling", "ThrottlingException", "TooManyRequestsException"})


class DeniedError(MissingError):
    """The credentials are valid, but not allowed to make this call."""

    code = "access_denied"


@contextmanager
def translated(call: str, profile: str, absent: Collection[str]) -> Iterator[None]:
    """Translate boto3 exceptions inside into NgpErrors; ignore the error codes of `absent`."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        answer = error.response.get("Error", {})
        if answer.get("Code") not in absent:
            status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
            raise _of_answer(call, str(answer.get("Code", "")), str(answer.get("Message", "")), status) from error
    except BotoCoreError as error:
        raise _of_library(call, profile, error) from error


def _of_answer(call: str, code: str, message: str, status: int) -> NgpError:
    why = f"{code}: {message}"
    if code in _NOT_VALID:
        return MissingError(
            "AWS does not accept the credentials", where=call, why=why, todo=f"sign in again: {_SIGN_IN}"
        )
    if code in _DENIED:
        todo = f"allow the credentials to do {call}, or use others"
        return DeniedError(f"the credentials do not allow {call}", why=why, todo=todo)
    if status >= _SERVER_FAULT or code in _BUSY:
        todo = "wait and run the command again; https://health.aws.amazon.com/health/status shows outages"
        return MissingError("AWS cannot serve a call now", where=call, why=f"{why} (HTTP status {status})", todo=todo)
    return NgpError("AWS refuses a call", where=call, why=why)


def _of_library(call: str, profile: str, error: Exception) -> NgpError:
    from botocore import exceptions as known

    if isinstance(error, known.ProfileNotFound):
        todo = f"aws configure --profile {profile}" if profile else "set AWS_PROFILE to a profile that exists"
        return MissingError("the AWS profile does not exist", why=str(error), todo=todo)
    no_token = (known.SSOError, known.TokenRetrievalError, known.UnauthorizedSSOTokenError)
    if isinstance(error, no_token):
        named = f" --profile {profile}" if profile else ""
        return MissingError("the AWS sign-in has expired", why=str(error), todo=f"aws sso login{named}")
    no_keys = (known.NoCredentialsError, known.PartialCredentialsError, known.CredentialRetrievalError)
    if isinstance(error, no_keys):
        return MissingError("no AWS credentials found", where=call, why=str(error), todo=_SIGN_IN)
    cut = (known.IncompleteReadError, known.FlexibleChecksumError, known.ResponseStreamingError)
    if isinstance(error, cut):
        todo = "run the command again; if it fails again, look at the network and at a proxy on the way"
        return MissingError("an answer from AWS was cut off or damaged", where=call, why=str(error), todo=todo)
    if isinstance(error, (known.ConnectionError, known.HTTPClientError, known.NoRegionError)):
        todo = "check the network, the proxy and the region's name"
        return MissingError("AWS cannot be reached", where=call, why=str(error), todo=todo)
    return NgpError("ngp cannot send this call to AWS", where=call, why=str(error))
