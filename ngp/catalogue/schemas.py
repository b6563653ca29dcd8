"""The shape of module.yaml. Imported only by the functions that read it: pydantic costs a command 170 ms."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

_Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$")]
_Module = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")]
_Address = Annotated[str, Field(pattern=r"^(data\.)?[a-z][a-z0-9_]*\.[A-Za-z_][A-Za-z0-9_-]*$")]
_Text = Annotated[str, Field(min_length=1)]
_Preflight = Annotated[
    str, Field(pattern=r"^(hosted_zone|marketplace(:[a-z_0-9]+=[\w.-]+)?|quota:[a-z0-9-]+/L-[0-9A-F]{8})$")
]
_Support = Annotated[str, Field(pattern=r"^[a-z{][a-z0-9_{}-]*:[A-Za-z0-9_.{}]+$")]
_ENDS = "software with an end of support, as PRODUCT:VERSION with inputs in braces: eks:{kubernetes_version}"
_Action = Annotated[str, Field(pattern=r"^[a-z0-9-]+:(\*|[A-Za-z][A-Za-z0-9]*\*?)$")]

_BEFORE = "what `ngp doctor` checks: hosted_zone, quota:SERVICE/CODE, marketplace, or marketplace:INPUT=VALUE"

_Exception = Annotated[str, Field(pattern=r"^[a-z0-9-]+ (data\.)?[a-z][a-z0-9_]*\.[A-Za-z_][A-Za-z0-9_-]*$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class GeneratedModel(_Model):
    """How a secret is made."""

    length: int = Field(32, ge=8, le=4096, description="number of characters")
    exclude_characters: str = Field("", description="characters that it must not contain")


class CheckModel(_Model):
    """What must answer before the unit counts as ready."""

    kind: Literal["http", "tcp", "command"] = Field(description="how ngp checks it")
    target: str = Field(
        min_length=1, description="an output's name, a template such as https://{registry_host}/v2/, or a command line"
    )
    expect: str = Field("", description="the expected status code, or a text in the answer")
    timeout_s: int = Field(600, ge=1, description="seconds until the check fails")


class UpgradeModel(_Model):
    """What a change of an input does to what is there."""

    effect: Literal["in_place", "restart", "rolling", "replace"] = Field(
        description="updated in place; a machine restarts; machines are replaced in turn; the resource is replaced"
    )
    note: str = Field("", description="one sentence: what an operator must know or do")
    resources: list[_Address] = Field([], description="the resources that the change replaces or deletes")


class SourceModel(_Model):
    """Where somebody else's module is from (`ngp module add`)."""

    address: str = Field(min_length=1, description="address in Terraform's syntax for module sources, or a folder")
    commit: str = Field("", pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})?$", description="the commit that was copied")
    checksum: str = Field(pattern=r"^h1:[A-Za-z0-9+/]{43}=$", description="checksum of the copied files")


class ManifestModel(_Model):
    """modules/NAME/module.yaml: what HCL cannot say. Inputs and outputs are read from the HCL."""

    title: str = Field(min_length=1, description="name for people")
    summary: str = Field(min_length=1, description="one sentence: what the module creates")
    category: str = Field(min_length=1, description="group of the module in lists and questions")
    status: Literal["stable", "legacy"] = Field(
        "stable", description="ngp applies a legacy module only with `--accept-legacy`"
    )
    version: str = Field("0.1.0", pattern=r"^\d+\.\d+\.\d+$", description="version of the module (semantic versioning)")
    requires: list[_Name] = Field(
        [], description="inputs that get their value from an output of the same name in another unit"
    )
    provides: list[_Name] = Field([], description="outputs that other modules may require")
    conflicts: dict[_Module, _Text] = Field({}, description="modules that cannot be in one environment with it → why")
    generated: dict[_Name, GeneratedModel] = Field({}, description="ephemeral inputs that ngp generates → how")
    reveal: dict[_Name, _Name] = Field({}, description="name that `--reveal` shows → output with the secret's ARN")
    show: list[_Name] = Field([], description="the few outputs that `ngp apply` prints at its end")
    ready: list[CheckModel] = Field([], description="what `ngp ready` checks")
    data: list[_Address] = Field(
        [], description="resources that hold data: deleting or replacing them needs `--accept-data-loss`"
    )
    quorum: list[_Address] = Field(
        [], description="members of a quorum: deleting or replacing two at the same time needs `--accept-data-loss`"
    )
    marketplace: list[_Text] = Field([], description="product codes of the marketplace products that the module needs")
    preflight: list[_Preflight] = Field([], description=_BEFORE)
    support: list[_Support] = Field([], description=_ENDS)
    upgrade: dict[_Name, UpgradeModel] = Field({}, description="inputs whose change does more than an update in place")
    cost: str = Field("", description="what it costs")
    wildcards: dict[_Action, _Text] = Field({}, description='IAM actions allowed on resource "*" → why')
    exceptions: dict[_Exception, _Text] = Field(
        {}, description="rule and resource that `ngp module check` accepts → why"
    )
    policy_exceptions: dict[_Exception, _Text] = Field(
        {}, description="rule and resource that `ngp policy check` accepts → why"
    )
    source: SourceModel | None = Field(None, description="the source of a copy of somebody else's module")
