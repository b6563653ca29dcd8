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
_ENDS = "what has an end of support, as PRODUCT:VERSION with inputs in braces: eks:{kubernetes_version}"
_Action = Annotated[str, Field(pattern=r"^[a-z0-9-]+:(\*|[A-Za-z][A-Za-z0-9]*\*?)$")]

_BEFORE = "what `ngp doctor` looks at: hosted_zone, quota:SERVICE/CODE, marketplace, or marketplace:INPUT=VALUE"

_Exception = Annotated[str, Field(pattern=r"^[a-z0-9-]+ (data\.)?[a-z][a-z0-9_]*\.[A-Za-z_][A-Za-z0-9_-]*$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class GeneratedModel(_Model):
    """How a secret is made."""

    length: int = Field(32, ge=8, le=4096, description="number of characters")
    exclude_characters: str = Field("", description="characters that must not occur in it")


class CheckModel(_Model):
    """What must answer before the unit counts as ready."""

    kind: Literal["http", "tcp", "command"] = Field(description="how it is asked")
    target: str = Field(
        min_length=1, description="an output's name, a template such as https://{registry_host}/v2/, or a command line"
    )
    expect: str = Field("", description="what the answer must be: a status code, or a text in it")
    timeout_s: int = Field(600, ge=1, description="seconds after which it has failed")


class UpgradeModel(_Model):
    """What a change of an input does to what is there."""

    effect: Literal["in_place", "restart", "rolling", "replace"] = Field(
        description="changed where it is; a machine restarts; machines are renewed by turns; made anew"
    )
    note: str = Field("", description="one sentence: what an operator must know or do")
    resources: list[_Address] = Field([], description="the resources that it replaces or takes away")


class SourceModel(_Model):
    """Where somebody else's module is from (`ngp module add`)."""

    address: str = Field(min_length=1, description="as Terraform writes a module's source, or a folder")
    commit: str = Field("", pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})?$", description="the commit it was copied at")
    checksum: str = Field(pattern=r"^h1:[A-Za-z0-9+/]{43}=$", description="of the copied files")


class ManifestModel(_Model):
    """modules/NAME/module.yaml: what HCL cannot say. Inputs and outputs are read from the HCL."""

    title: str = Field(min_length=1, description="name for people")
    summary: str = Field(min_length=1, description="one sentence: what the module makes")
    category: str = Field(min_length=1, description="heading below which the module is offered")
    status: Literal["stable", "legacy"] = Field("stable", description="legacy modules are applied with a consent only")
    version: str = Field("0.1.0", pattern=r"^\d+\.\d+\.\d+$", description="version of the module (semantic versioning)")
    requires: list[_Name] = Field([], description="inputs that another unit's output of the same name feeds")
    provides: list[_Name] = Field([], description="outputs that other modules may require")
    conflicts: dict[_Module, _Text] = Field({}, description="modules that cannot be in one environment with it → why")
    generated: dict[_Name, GeneratedModel] = Field({}, description="ephemeral inputs that ngp makes up → how")
    reveal: dict[_Name, _Name] = Field({}, description="name that --reveal shows → output with the secret's ARN")
    show: list[_Name] = Field([], description="outputs that `ngp apply` ends with: the few that a person needs")
    ready: list[CheckModel] = Field([], description="what `ngp ready` asks")
    data: list[_Address] = Field([], description="resources that hold data: never lost without a named consent")
    quorum: list[_Address] = Field([], description="members of a quorum: no two go at once without a named consent")
    marketplace: list[_Text] = Field([], description="product codes of marketplace products it needs")
    preflight: list[_Preflight] = Field([], description=_BEFORE)
    support: list[_Support] = Field([], description=_ENDS)
    upgrade: dict[_Name, UpgradeModel] = Field({}, description="inputs whose change does more than change in place")
    cost: str = Field("", description="what it costs")
    wildcards: dict[_Action, _Text] = Field({}, description='IAM actions allowed on resource "*" → why')
    exceptions: dict[_Exception, _Text] = Field({}, description="rule and resource that `module check` accepts → why")
    policy_exceptions: dict[_Exception, _Text] = Field({}, description="rule of a policy and resource, accepted → why")
    source: SourceModel | None = Field(None, description="of a copy of somebody else's module: where it is from")
