"""A platform on the disk: a catalogue of six modules and room for environments."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ngp.environments import platforms, resolving
from ngp.environments.environment import Platform
from ngp.environments.resolving import Resolved

TAGS = """
variable "environment" {
  description = "Name of the environment"
  type        = string
}

variable "region" {
  description = "AWS region"
  type        = string
}

variable "pre_tag" {
  description = "Beginning of every name"
  type        = string
}

variable "post_tag" {
  description = "End of every name"
  type        = string
}
"""
MODULES = {
    "network": (
        "title: Network\nsummary: The VPC\ncategory: base\nprovides: [vpc_id, subnet_ids]\n",
        TAGS
        + """
variable "vpc_cidr" {
  description = "Network of the VPC"
  type        = string
  default     = "10.0.0.0/16"
}

variable "availability_zones" {
  description = "Zones"
  type        = list(string)
  default     = []
}
""",
        ("vpc_id", "subnet_ids", "key_secret"),
        '# Beginning of every name\npre_tag = "demo"\npost_tag = "one"\nvpc_cidr = "10.0.0.0/16"\n',
    ),
    "openvpn": (
        "title: OpenVPN\nsummary: The way in\ncategory: access\nrequires: [vpc_id]\nprovides: [security_group_id]\n",
        TAGS
        + """
variable "vpc_id" {
  description = "VPC of the server"
  type        = string
}

variable "admin_cidrs" {
  description = "Networks that administrators come from"
  type        = list(string)
}

variable "instance_type" {
  description = "Size of the server"
  type        = string
  default     = "t3.small"
}

variable "disk_gib" {
  description = "Size of its disk"
  type        = number
  default     = 16
}

variable "peer" {
  description = "Another server"
  type        = string
  default     = null
}
""",
        ("security_group_id", "vpn_url"),
        '# Who administrates\n# the server\nadmin_cidrs = ["198.51.100.0/24"]\n',
    ),
    "swarm": (
        "title: Swarm\nsummary: Nodes\ncategory: clusters\nrequires: [vpc_id, subnet_ids]\nprovides: [cluster_id]\n"
        "conflicts: {dcos: both want the nodes}\n",
        TAGS
        + """
variable "vpc_id" {
  description = "VPC of the nodes"
  type        = string
}

variable "subnet_ids" {
  description = "Subnets of the nodes"
  type        = list(string)
}

variable "pools" {
  description = "Workers"
  type        = map(object({ size = number, kind = optional(string, "t3.small") }))
  default     = {}
}
""",
        ("cluster_id",),
        "",
    ),
    "dcos": (
        "title: DC/OS\nsummary: Old\ncategory: clusters\nstatus: legacy\nrequires: [vpc_id]\nprovides: [cluster_id]\n",
        TAGS + 'variable "vpc_id" {\n  description = "VPC"\n  type = string\n}\n',
        ("cluster_id",),
        "",
    ),
    "registry": (
        "title: Registry\nsummary: Images\ncategory: services\nrequires: [cluster_id]\n",
        TAGS + 'variable "cluster_id" {\n  description = "Cluster"\n  type = string\n}\n',
        ("registry_url",),
        "",
    ),
    "database": (
        "title: Database\nsummary: Rows\ncategory: data\ngenerated: {master_password: {length: 20}}\n",
        TAGS
        + """
variable "master_password" {
  description = "Password of the owner"
  type        = string
  ephemeral   = true
}

variable "api_token" {
  description = "Token of the backup service"
  type        = string
  ephemeral   = true
  default     = null
}

variable "unit" {
  description = "Name of the unit"
  type        = string
  default     = ""
}
""",
        ("endpoint",),
        "",
    ),
}
ENVIRONMENT = """\
# The stage where we try things
target: sandbox
account: "123456789012"
region: eu-central-1
domain: dev.example.com
units:
  network: {}
  openvpn: {}
wiring:
  openvpn: {vpc_id: network.vpc_id}
"""
VALUES = """\
# How everything is called
pre_tag  = "demo"
post_tag = "dev"

openvpn = {
  admin_cidrs = ["10.0.0.0/8"] # the office
}
"""


@dataclass(frozen=True)
class House:
    """A platform on disk, with what tests do to it."""

    path: Path

    @property
    def platform(self) -> Platform:
        return platforms.load(self.path)

    def environment(self, text: str = ENVIRONMENT, values: str | None = VALUES, name: str = "dev") -> None:
        folder = self.path / "environments" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "environment.yaml").write_text(text)
        if values is not None:
            (folder / "terraform.tfvars").write_text(values)

    def module(self, name: str, manifest: str, variables: str, outputs: tuple[str, ...] = (), dummy: str = "") -> None:
        folder = self.path / "modules" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "module.yaml").write_text(manifest)
        (folder / f"{name}.tf").write_text("")
        (folder / f"{name}-variables.tf").write_text(variables)
        blocks = [
            f'output "{output}" {{\n  description = "It"\n  value = "x"\n'
            + ("  sensitive = true\n" if "secret" in output else "")
            + "}\n"
            for output in outputs
        ]
        (folder / f"{name}-output.tf").write_text("\n".join(blocks))
        (folder / f"{name}.dummy").write_text(dummy)

    def read(self, file: str, name: str = "dev") -> str:
        return (self.path / "environments" / name / file).read_bytes().decode()

    def resolve(self, name: str = "dev") -> Resolved:
        return resolving.resolve(self.platform, name)

    def tree(self) -> dict[str, bytes]:
        """Every file of the platform but ngp's own workspace, to see that nothing changed."""
        files = (path for path in self.path.rglob("*") if path.is_file())
        kept = (path for path in files if not {".ngp", ".git"} & set(path.relative_to(self.path).parts))
        return {str(path.relative_to(self.path)): path.read_bytes() for path in kept}
