"""The shape of ngp.yaml and environment.yaml: pydantic at the YAML door, findings with file and line behind it.

Imported only by the functions that read YAML: pydantic costs a command 170 ms.
"""

from __future__ import annotations

from datetime import date
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator

from ngp.environments import ssh_keys
from ngp.environments.environment import NAME, NAME_LENGTH
from ngp.errors import Finding, UsageError, nearest
from ngp.yaml import Document

OUTPUT = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*\.[A-Za-z_][A-Za-z0-9_-]*$"
DOMAIN = r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$"
REGION = r"^[a-z]{2}(-[a-z]+)+-[1-9]$"
ROLE = r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/.+$"
ACCOUNT = r"^[0-9]{12}$"
EMAIL = r"^[A-Za-z0-9._%+'~&-]+@[A-Za-z0-9.-]+$"  # without the wildcards of allowed_signers
DAY = r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
DIFFERENCE = r"^(state|(modules|units|wiring|values)\.[A-Za-z0-9_.*?-]+)$"
BUCKET = r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"

HOST = r"^[A-Za-z0-9]([A-Za-z0-9_.:-]{0,252}[A-Za-z0-9])?$"  # never an option of ssh, nor a control character
HOST_KEY = r"^(ssh-(ed25519|rsa)|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]+=*( .*)?$"

# Description of a valid value, by the pattern that refused it.
_IN_WORDS = {
    NAME: "lower-case letters, digits and single dashes, beginning with a letter",
    OUTPUT: "an output of a unit, such as `network.vpc_id`",
    DOMAIN: "a domain name such as `dev.example.com`, in lower case",
    REGION: "a region such as `eu-central-1`",
    ROLE: "the ARN of a role",
    HOST: "letters, digits, dots, dashes and colons, beginning with a letter or a digit",
    HOST_KEY: "a public key such as `ssh-ed25519 AAAA…`",
    BUCKET: "the name of an S3 bucket",
    EMAIL: "an e-mail address, as Git's user.email",
    DAY: "a day such as `2027-03-31`",
    DIFFERENCE: "a key that `ngp env diff` shows, such as `values.openvpn.disk_gib` or `modules.*`",
    ACCOUNT: 'the 12 digits of an account, quoted: "012345678901"',
}


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


TagName = Annotated[str, Field(pattern=NAME, max_length=NAME_LENGTH)]


class RoleModel(_Model):
    """The role that provider and backend assume."""

    arn: str = Field(pattern=ROLE, description="ARN of the role that provider and backend assume")
    external_id: str = Field("", description="external id that the role's trust policy requires")
    session_name: str = Field("ngp", min_length=2, max_length=64, description="name of the session in CloudTrail")


class UnitModel(_Model):
    """One entry of `units`."""

    module: str = Field(
        "", pattern=f"^$|{NAME}", description="the module that the unit uses; by default the one with the unit's name"
    )
    tags: list[TagName] = Field(default_factory=list, description="tags that select the unit: `ngp plan ENV tag:TAG`")


UnitName = Annotated[str, Field(pattern=NAME, max_length=NAME_LENGTH)]
InputName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$")]
OutputName = Annotated[str, Field(pattern=OUTPUT)]


class DifferenceModel(_Model):
    """One entry of `differences`."""

    owner: str = Field(min_length=1, description="the owner of the difference")
    until: str = Field(pattern=DAY, description="the last day on which the difference is accepted: 2027-03-31")
    reason: str = Field("", description="the reason for the difference")

    @field_validator("until")
    @classmethod
    def _exists(cls, until: str) -> str:
        date.fromisoformat(until)  # 30 February has the form of a day
        return until


DifferenceKey = Annotated[str, Field(pattern=DIFFERENCE)]


class EnvironmentModel(_Model):
    """environments/ENV/environment.yaml: the facts of one region of one stage, and its units."""

    target: Literal["aws", "sandbox"] = Field(
        "aws", description="where the environment is: AWS, or the emulator on this machine"
    )
    account: str = Field(pattern=ACCOUNT, description="the AWS account, 12 digits, quoted")
    region: str = Field(pattern=REGION, description="the AWS region")
    domain: str = Field(pattern=DOMAIN, description="the domain of the hosted zone; modules get it as `domain_name`")
    profile: str = Field("", description="profile of the AWS configuration files, for provider and backend")
    assume_role: RoleModel | None = Field(None, description="role that provider and backend assume")
    state: Literal["per-module", "single"] = Field(
        "per-module", description="a Terraform state per unit, or one for all"
    )
    catalogue: str = Field("", description="Git ref of the modules to use; by default the working tree")
    units: dict[UnitName, UnitModel] = Field(default_factory=dict, description="the units by name")
    wiring: dict[UnitName, dict[InputName, OutputName]] = Field(
        default_factory=dict, description="unit → input → `unit.output` that feeds it"
    )
    differences: dict[DifferenceKey, DifferenceModel] = Field(
        default_factory=dict,
        description="what may differ from other environments (`ngp env diff`), by key: `values.openvpn.disk_gib`",
    )


Identity = Annotated[str, Field(pattern=EMAIL)]


class ApprovalModel(_Model):
    """One entry of `approvals`."""

    by: list[Identity] = Field(min_length=1, description="who may approve, by e-mail address")
    count: int = Field(1, ge=1, description="how many approvals are needed")
    maker: bool = Field(default=False, description="whether the approval of the bundle's maker counts")
    authors: bool = Field(default=False, description="whether the approvals of the commits' authors count")


class PlatformModel(_Model):
    """ngp.yaml: what holds for all environments."""

    name: str = Field(pattern=NAME, min_length=2, max_length=24, description="name of the platform; the fact `project`")
    terraform: str = Field("", description='"" searches PATH; `terraform`, `tofu`, `bundled`, or a path')
    terraform_version: str = Field(
        ">= 1.11.0, < 2.0.0",
        description="allowed versions of the Terraform or OpenTofu that is used",
    )
    state: Literal["s3", "local"] = Field("s3", description="where states are stored")
    state_bucket: str = Field(
        "", pattern=f"^$|{BUCKET}", description="name of the bucket; by default made from platform, account and region"
    )
    protected: list[str] = Field(
        default_factory=list, description="environments that only an approved bundle may change"
    )
    signers: dict[Identity, list[str]] = Field(
        default_factory=dict, description="e-mail address → SSH public keys, as in `ssh-ed25519 AAAA… anna`"
    )
    approvals: dict[str, ApprovalModel] = Field(
        default_factory=dict, description="protected environment → who may approve its bundles"
    )
    emergency: dict[str, list[Identity]] = Field(
        default_factory=dict, description="protected environment → who may change it without a bundle (`--emergency`)"
    )
    bundles: Literal["files", "state"] = Field(
        "files",
        description="where ngp stores bundles: only in a file, or also in the state bucket, for reviewers and appliers",
    )
    rendered_by: str = Field("", description="the version of ngp that rendered; written by `ngp render`")


def _whole_key(text: str) -> str:
    ssh_keys.parse(text)
    return text


HostKey = Annotated[str, Field(pattern=HOST_KEY), AfterValidator(_whole_key)]


class HostModel(_Model):
    """One entry of `hosts`."""

    environment: str = Field(pattern=NAME, max_length=NAME_LENGTH, description="the environment of the machine")
    address: str = Field(pattern=HOST, description="DNS name or IP address")
    port: int = Field(22, ge=1, le=65535, description="port of its sshd")
    user: str = Field("", description="user name; by default ssh_config decides")
    cluster: str = Field("", description="its cluster, for `ENV/CLUSTER`")
    unit: str = Field("", description="its unit, for `--unit`")
    packages: list[str] = Field(default_factory=list, description="packages to deploy to it")
    tags: dict[str, str] = Field(default_factory=dict, description="tags for `--tag NAME=VALUE`")
    host_keys: list[HostKey] = Field(
        default_factory=list, description="its public host keys, as in /etc/ssh/ssh_host_ed25519_key.pub"
    )


class HostsModel(_Model):
    """hosts.yaml: machines that no cloud knows."""

    hosts: dict[Annotated[str, Field(pattern=HOST)], HostModel] = Field(
        default_factory=dict, description="the machines by name"
    )


M = TypeVar("M", bound=BaseModel)


def read(document: Document, model: type[M]) -> M:
    """The document as a model; raise one UsageError that lists all that is wrong, each with file and line."""
    data = {} if document.data is None else document.data
    if not isinstance(data, dict):
        raise UsageError("this must be a mapping (`key: value`)", where=str(document.path))
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise UsageError([_finding(document, model, each) for each in error.errors()]) from None


def check(model: type[BaseModel], key: str, value: Any) -> list[str]:
    """Return why a value is invalid for a top-level key of a model."""
    try:
        model.model_validate({key: value})
    except ValidationError as error:
        return [_reason(each) for each in error.errors() if each["loc"] == (key,)]
    return []


def _finding(document: Document, model: type[BaseModel], error: Any) -> Finding:
    path = tuple(str(part) for part in error["loc"] if part != "[key]")
    key = ".".join(path)
    where = document.where(key)
    if error["type"] == "extra_forbidden":
        return Finding(f"unknown key `{key}`", where, todo=nearest(path[-1], _known(model, path[:-1])))
    if error["type"] == "missing":
        return Finding(f"`{key}` is missing", where, _description(model, path))
    if error["loc"][-1] == "[key]":
        return Finding(f"`{path[-1]}` cannot be a name", where, _reason(error))
    return Finding(f"`{key}` is invalid: {_shown(error['input'])}", where, _reason(error))


def _reason(error: Any) -> str:
    context = error.get("ctx", {})
    match error["type"]:
        case "string_pattern_mismatch":
            words = _IN_WORDS.get(context["pattern"].removeprefix("^$|"))
            return f"it must be {words}" if words else f"it must match {context['pattern']}"
        case "string_type" if isinstance(error["input"], int | float | bool):
            return f'it must be a text: quote it, "{error["input"]}"'
        case "dict_type" | "model_type":
            return "it must be a mapping (`key: value`)"
        case "list_type":
            return "it must be a list (`[a, b]`)"
        case "string_type":
            return "it must be a text"
        case "literal_error":
            return f"it must be {context['expected']}"
    return str(context.get("error", error["msg"]))


def _shown(value: Any) -> str:
    if value is None:
        return "it is empty"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _known(model: type[BaseModel], path: tuple[str, ...]) -> list[str]:
    at = _follow(model, path)
    return list(at.model_fields) if isinstance(at, type) and issubclass(at, BaseModel) else []


def _description(model: type[BaseModel], path: tuple[str, ...]) -> str:
    at = _follow(model, path[:-1])
    if isinstance(at, type) and issubclass(at, BaseModel) and path[-1] in at.model_fields:
        return at.model_fields[path[-1]].description or ""
    return ""


def _follow(annotation: Any, path: tuple[str, ...]) -> Any:
    """Return the annotation at `path` below a model, or None."""
    if get_origin(annotation) in (Union, UnionType):
        annotation = next(part for part in get_args(annotation) if part is not type(None))
    if not path:
        return annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        field = annotation.model_fields.get(path[0])
        return _follow(field.annotation, path[1:]) if field else None
    if get_origin(annotation) is dict:
        return _follow(get_args(annotation)[1], path[1:])
    return None
