"""Hand-built values: an environment of two wired units, and what a test changes in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ngp.catalogue.module import Catalogue, Generated, Manifest, Module, Output, SourceLocation, Variable
from ngp.catalogue.types import STRING
from ngp.environments.binding import Binding, UnitBindings, ValueSource
from ngp.environments.environment import Environment, OutputRef, Platform, Target, UnitChoice
from ngp.environments.resolving import Resolved
from ngp.environments.values import Values

AWS = {"aws": {"source": "hashicorp/aws", "version": ">= 5.100.0, < 6.0.0"}}


class Make:
    """Builders; every argument has a default that makes the smallest valid thing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / ".terraform.lock.hcl").write_text("# master\n")

    def place(self) -> SourceLocation:
        return SourceLocation(self.path / "modules" / "x.tf", 1)

    def variable(self, name: str, **changes: Any) -> Variable:
        plain = Variable(name, STRING, "string", "", False, None, False, False, True, (), self.place())
        return replace(plain, **changes)

    def output(self, name: str, **changes: Any) -> Output:
        return replace(Output(name, "", False, False, self.place()), **changes)

    def module(self, name: str, *parts: Variable | Output, **changes: Any) -> Module:
        plain = Module(
            name=name,
            path=self.path / "modules" / name,
            manifest=Manifest(name.title(), "", "base"),
            variables={part.name: part for part in parts if isinstance(part, Variable)},
            outputs={part.name: part for part in parts if isinstance(part, Output)},
            dummies={},
            required_version="",
            required_providers=AWS,
        )
        return replace(plain, **changes)

    def resolved(
        self,
        modules: list[Module],
        inputs: Mapping[str, Mapping[str, Binding]],
        *,
        platform: Any = None,
        **changes: Any,
    ) -> Resolved:
        by_name = {module.name: module for module in modules}
        environment = Environment(
            name="dev",
            path=self.path / "environments" / "dev",
            target=Target.AWS,
            account="012345678901",
            region="eu-central-1",
            domain="dev.example.com",
            units={unit: UnitChoice(unit, unit if unit in by_name else modules[0].name) for unit in inputs},
        )
        environment = replace(environment, **changes)
        bindings = {unit: UnitBindings(unit, environment.units[unit].module, each) for unit, each in inputs.items()}
        return Resolved(
            platform=replace(Platform(self.path, "acme"), **(platform or {})),
            environment=environment,
            catalogue=Catalogue(self.path / "modules", by_name),
            values=Values(environment.path / "terraform.tfvars"),
            bindings=bindings,
            edges={unit: () for unit in inputs},
        )

    def pair(self, **changes: Any) -> Resolved:
        """`network`, and `vpn` with a fact, a wire, a generated secret, a reference and a default."""
        network = self.module(
            "network", self.variable("region"), self.output("vpc_id", description="The VPC"), self.output("key")
        )
        vpn = self.module(
            "vpn",
            self.variable("vpc_id", nullable=False, description='Where "it" is'),
            self.variable("region"),
            self.variable("size", type_text="number"),
            self.variable("admin_password", sensitive=True, ephemeral=True),
            self.variable("token", ephemeral=True),
            self.variable("colour", has_default=True, default="red"),
            self.output("url"),
            self.output("secret", sensitive=True),
            self.output("passing", ephemeral=True),
            manifest=Manifest("VPN", "", "access", generated={"admin_password": Generated(20, '"${')}),
        )
        region = Binding(ValueSource.FACT, "eu-central-1")
        inputs = {
            "network": {"region": region},
            "vpn": {
                "colour": Binding(ValueSource.DEFAULT),
                "token": Binding(ValueSource.SECRET, "env:TOKEN"),
                "size": Binding(ValueSource.UNIT, 3),
                "admin_password": Binding(ValueSource.GENERATED),
                "region": region,
                "vpc_id": Binding(ValueSource.WIRE, wire=OutputRef("network", "vpc_id")),
            },
        }
        return self.resolved([network, vpn], inputs, **changes)


@pytest.fixture
def make(tmp_path: Path) -> Make:
    return Make(tmp_path)
