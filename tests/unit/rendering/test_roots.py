from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from ngp.catalogue.module import Generated, Manifest
from ngp.environments.binding import Binding, ValueSource
from ngp.environments.environment import AssumedRole, OutputRef, StateKind, StateMode, Target, UnitChoice
from ngp.errors import MissingError
from ngp.rendering import roots, templates
from ngp.terraform import lockfile

UNITS = Path("environments/dev/units")
HEADER = (
    "# Rendered by ngp from environments/dev; do not edit: "
    "change environment.yaml or terraform.tfvars and run `ngp render dev`.\n"
)


def test_root_calls_its_module_with_every_bound_input_in_the_order_of_the_module(make):
    assert roots.render(make.pair())[UNITS / "vpn/main.tf"] == HEADER + (
        """
ephemeral "aws_secretsmanager_random_password" "admin_password" {
  password_length    = 20
  exclude_characters = "\\"$${"
}

module "vpn" {
  source = "../../../../modules/vpn"

  vpc_id         = var.vpc_id
  region         = var.region
  size           = var.size
  admin_password = ephemeral.aws_secretsmanager_random_password.admin_password.random_password
  token          = var.token
}
"""
    )


def test_root_variables_bear_the_names_types_and_marks_of_the_inputs_that_come_from_outside(make):
    assert roots.render(make.pair())[UNITS / "vpn/variables.tf"] == HEADER + (
        """
variable "vpc_id" {
  description = "Where \\"it\\" is"
  type        = string
  nullable    = false
}

variable "region" {
  type = string
}

variable "size" {
  type = number
}

variable "token" {
  type      = string
  ephemeral = true
}
"""
    )


def test_sensitive_input_stays_sensitive_in_the_root(make):
    module = make.module("m", make.variable("key", sensitive=True))
    files = roots.render(make.resolved([module], {"m": {"key": Binding(ValueSource.UNIT, "k")}}))
    assert "  type      = string\n  sensitive = true\n" in files[UNITS / "m/variables.tf"]


def test_type_of_several_lines_is_copied_and_parts_the_alignment(make):
    text = "object({\n    a = string\n  })"
    variable = make.variable("thing", type_text=text, description="x", nullable=False)
    files = roots.render(make.resolved([make.module("m", variable)], {"m": {"thing": Binding(ValueSource.UNIT, {})}}))
    assert files[UNITS / "m/variables.tf"].endswith(
        'variable "thing" {\n  description = "x"\n  type = object({\n    a = string\n  })\n  nullable = false\n}\n'
    )


def test_every_output_but_an_ephemeral_one_is_an_output_of_the_root(make):
    assert roots.render(make.pair())[UNITS / "vpn/outputs.tf"] == HEADER + (
        """
output "url" {
  value = module.vpn.url
}

output "secret" {
  value     = module.vpn.secret
  sensitive = true
}
"""
    )


def test_output_keeps_its_description(make):
    outputs = roots.render(make.pair())[UNITS / "network/outputs.tf"]
    assert '  description = "The VPC"\n  value       = module.network.vpc_id\n' in outputs


def test_values_hold_neither_wires_nor_secrets(make):
    values = roots.render(make.pair())[UNITS / "vpn/values.auto.tfvars.json"]
    assert values == '{\n  "region": "eu-central-1",\n  "size": 3\n}\n'


def test_versions_guard_the_account_in_backend_and_provider(make):
    assert roots.render(make.pair())[UNITS / "vpn/versions.tf"] == HEADER + (
        """
terraform {
  required_version = ">= 1.11.0, < 2.0.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0, < 6.0.0"
    }
  }

  backend "s3" {
    bucket              = "acme-tfstate-012345678901-eu-central-1"
    key                 = "environments/dev/vpn.tfstate"
    region              = "eu-central-1"
    encrypt             = true
    use_lockfile        = true
    allowed_account_ids = ["012345678901"]
  }
}

provider "aws" {
  region              = "eu-central-1"
  allowed_account_ids = ["012345678901"]
}
"""
    )


def test_profile_and_role_reach_backend_and_provider(make):
    role = AssumedRole("arn:aws:iam::012345678901:role/ngp", external_id="x")
    text = roots.render(make.pair(profile="work", assume_role=role))[UNITS / "vpn/versions.tf"]
    assert text.count('    profile             = "work"\n') == 1
    assert text.count('\n  profile             = "work"\n') == 1
    inner = '      role_arn     = "arn:aws:iam::012345678901:role/ngp"\n      external_id  = "x"\n'
    assert f'    assume_role = {{\n{inner}      session_name = "ngp"\n    }}\n' in text
    assert "\n  assume_role {\n" + inner.replace("      ", "    ") in text


def test_sandbox_roots_name_no_profile_and_no_role(make):
    files = roots.render(make.pair(target=Target.SANDBOX, profile="work", assume_role=AssumedRole("arn:aws:x")))
    assert not any("profile" in text or "assume_role" in text for text in files.values())


def test_provider_block_is_the_same_in_all_units(make):
    files = roots.render(make.pair(profile="work"))
    blocks = {text.partition("\nprovider ")[2] for path, text in files.items() if path.name == "versions.tf"}
    assert len(blocks) == 1
    assert blocks != {""}


def test_root_of_a_module_without_providers_is_guarded_too(make):
    module = make.module("m", required_providers={"null": {"version": "~> 3.2"}})
    text = roots.render(make.resolved([module], {"m": {}}))[UNITS / "m/versions.tf"]
    assert '    aws = {\n      source = "hashicorp/aws"\n    }\n' in text
    assert '    null = {\n      source  = "hashicorp/null"\n      version = "~> 3.2"\n    }\n' in text
    assert 'provider "aws" {' in text


def test_facts_cannot_break_out_of_their_strings(make):
    text = roots.render(make.pair(profile='${file("x")}"\n'))[UNITS / "vpn/versions.tf"]
    assert '"$${file(\\"x\\")}\\"\\n"' in text


def test_local_state_lies_in_the_workspace_by_a_relative_path(make):
    text = roots.render(make.pair(platform={"state": StateKind.LOCAL}))[UNITS / "vpn/versions.tf"]
    assert '  backend "local" {\n    path = "../../../../.ngp/state/dev/vpn.tfstate"\n  }\n' in text


def test_named_bucket_is_used(make):
    text = roots.render(make.pair(platform={"state_bucket": "ours"}))[UNITS / "vpn/versions.tf"]
    assert 'bucket              = "ours"' in text


def test_each_root_carries_the_master_lock(make):
    files = roots.render(make.pair())
    assert files[UNITS / "vpn/.terraform.lock.hcl"] == files[UNITS / "network/.terraform.lock.hcl"] == "# master\n"


def test_copy_leaves_out_providers_that_the_root_does_not_ask_for(make):
    aws, null = (
        f'provider "registry.terraform.io/hashicorp/{name}" {{\n  version = "1.0.0"\n}}\n' for name in ("aws", "null")
    )
    (make.path / ".terraform.lock.hcl").write_text(f"# master\n\n{aws}\n{null}")
    one = make.module("one")
    two = make.module("two", required_providers={"null": {"source": "hashicorp/null"}})
    files = roots.render(make.resolved([one, two], {"one": {}, "two": {}}))
    lock = files[UNITS / "one/.terraform.lock.hcl"]
    assert aws in lock
    assert null not in lock
    assert files[UNITS / "two/.terraform.lock.hcl"] == f"# master\n\n{aws}\n{null}"


def test_missing_master_lock_is_told(make):
    (make.path / ".terraform.lock.hcl").unlink()
    with pytest.raises(MissingError, match="the master lock file is missing"):
        roots.render(make.pair())


def test_single_root_wires_its_modules_and_prefixes_names(make):
    files = roots.render(make.pair(state=StateMode.SINGLE))
    home = Path("environments/dev/root")
    assert {path.parent for path in files} == {home}
    assert files[home / "main.tf"] == HEADER + (
        """
ephemeral "aws_secretsmanager_random_password" "vpn__admin_password" {
  password_length    = 20
  exclude_characters = "\\"$${"
}

module "network" {
  source = "../../../modules/network"

  region = var.network__region
}

module "vpn" {
  source = "../../../modules/vpn"

  vpc_id         = module.network.vpc_id
  region         = var.vpn__region
  size           = var.vpn__size
  admin_password = ephemeral.aws_secretsmanager_random_password.vpn__admin_password.random_password
  token          = var.vpn__token
}
"""
    )
    assert 'variable "vpn__vpc_id"' not in files[home / "variables.tf"]
    assert 'output "network__vpc_id" {\n' in files[home / "outputs.tf"]
    assert "  value       = module.network.vpc_id\n" in files[home / "outputs.tf"]
    assert '"vpn__size": 3' in files[home / "values.auto.tfvars.json"]
    assert 'key                 = "environments/dev/root.tfstate"' in files[home / "versions.tf"]


def test_single_root_holds_to_the_constraints_of_all_modules(make):
    one = make.module("one", required_providers={"aws": {"source": "hashicorp/aws", "version": ">= 5.0, < 6.0"}})
    two = make.module("two", required_providers={"aws": {"source": "hashicorp/aws", "version": ">= 5.90,< 6.0"}})
    files = roots.render(make.resolved([one, two], {"one": {}, "two": {}}, state=StateMode.SINGLE))
    assert 'version = ">= 5.0, < 6.0, >= 5.90"' in files[Path("environments/dev/root/versions.tf")]


def test_a_module_can_occur_twice(make):
    units = {"alb": UnitChoice("alb", "alb"), "alb-shop": UnitChoice("alb-shop", "alb")}
    module = make.module("alb", make.variable("x"), manifest=Manifest("", "", "", generated={"x": Generated()}))
    inputs = {"alb": {}, "alb-shop": {"x": Binding(ValueSource.GENERATED)}}
    files = roots.render(make.resolved([module], inputs, units=units))
    main = files[UNITS / "alb-shop/main.tf"]
    assert 'module "alb-shop" {\n  source = "../../../../modules/alb"\n' in main
    assert "  password_length = 32\n}" in main


def test_wire_to_a_unit_of_the_same_root_is_by_output_name(make):
    one = make.module("one", make.output("id"))
    two = make.module("two", make.variable("upstream"))
    inputs = {"one": {}, "two": {"upstream": Binding(ValueSource.WIRE, wire=OutputRef("one", "id"))}}
    files = roots.render(make.resolved([one, two], inputs, state=StateMode.SINGLE))
    assert "  upstream = module.one.id\n" in files[Path("environments/dev/root/main.tf")]


def test_rendering_twice_gives_the_same_bytes_in_the_same_order(make):
    assert list(roots.render(make.pair()).items()) == list(roots.render(make.pair()).items())


def test_rendering_writes_nothing_but_what_is_kept(make):
    roots.render(make.pair())
    assert sorted(path.name for path in make.path.iterdir()) == [".ngp", ".terraform.lock.hcl"]


def test_what_was_rendered_before_is_the_same_and_follows_every_change(make):
    template = make.path / "templates" / "root" / "main.tf.j2"
    template.parent.mkdir(parents=True)
    template.write_text("{% include 'part.j2' %}\n")
    (make.path / "templates" / "part.j2").write_text("# one\n")
    first = roots.render(make.pair())
    assert roots.render(make.pair()) == first
    assert first[UNITS / "network/main.tf"].startswith("# one")
    (make.path / "templates" / "part.j2").write_text("# two\n")
    assert roots.render(make.pair())[UNITS / "network/main.tf"].startswith("# two")
    assert "eu-west-9" in roots.render(make.pair(region="eu-west-9"))[UNITS / "network/versions.tf"]


def test_a_changed_value_renders_the_root_anew_that_has_it(make, monkeypatch):
    rendered = []
    real = templates.render
    monkeypatch.setattr(
        templates, "render", lambda path, name, said: (rendered.append(said["root"].values), real(path, name, said))[1]
    )
    module = make.module("shop", make.variable("cidr"))

    def render(changed):
        cidrs = {at: "10.9.0.0/16" if at == changed else f"10.{at}.0.0/16" for at in range(5)}
        return roots.render(
            make.resolved([module], {f"u{at}": {"cidr": Binding(ValueSource.UNIT, cidr)} for at, cidr in cidrs.items()})
        )

    first = render(None)
    rendered.clear()
    assert render(3) == {**first, UNITS / "u3" / roots.VALUES: '{\n  "cidr": "10.9.0.0/16"\n}\n'}
    assert rendered == [{"cidr": "10.9.0.0/16"}] * len(roots.FILES)


def test_a_template_sees_each_value_as_it_is(make):
    template = make.path / "templates" / "root" / "main.tf.j2"
    template.parent.mkdir(parents=True)
    template.write_text("{{ root.values }}\n")
    module = make.module("m", make.variable("a"))
    for value in (1, True, "1", Decimal(1), {"decimal": "1"}, {"object": {"decimal": "1"}}, [1], None):
        made = roots.render(make.resolved([module], {"m": {"a": Binding(ValueSource.UNIT, value)}}))
        assert made[UNITS / "m/main.tf"].strip() == str({"a": value})


def test_null_reaches_the_module_where_it_means_the_default(make):
    module = make.module("m", make.variable("a", nullable=False, has_default=True, default="x"))
    files = roots.render(make.resolved([module], {"m": {"a": Binding(ValueSource.UNIT, None)}}))
    assert files[UNITS / "m/values.auto.tfvars.json"] == '{\n  "a": null\n}\n'
    assert "nullable" not in files[UNITS / "m/variables.tf"]
    assert "  a = var.a\n" in files[UNITS / "m/main.tf"]


def test_a_hundred_roots_read_the_lock_and_compile_the_templates_as_often_as_one(make, monkeypatch):
    from jinja2 import Environment as Jinja

    calls = []

    def count(owner, name):
        real = getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda *args, **more: (calls.append(name), real(*args, **more))[1])

    count(lockfile, "parse")
    count(Jinja, "compile")
    module = make.module("shop", make.variable("region"))
    (make.path / ".terraform.lock.hcl").write_text("# read once\n")
    templates._environment.cache_clear()
    units = {f"shop-{at}": {"region": Binding(ValueSource.FACT, "eu-central-1")} for at in range(100)}
    roots.render(make.resolved([module], units))
    assert calls.count("compile") == len(roots.FILES)
    assert calls.count("parse") == 1
