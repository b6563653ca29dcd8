from __future__ import annotations

import hashlib
import json

import pytest


@pytest.mark.terraform
@pytest.mark.slow
def test_value_of_a_million_characters_reaches_terraform(platform, terraform):
    text = "0123456789abcdeé${\n" * 52_632 + "${"
    escaped = text.replace("${", "$${").replace("\n", "\\n")
    platform.without_providers()
    platform.module("echo", 'variable "text" {\n  type = string\n}\n')
    platform.environment("{echo: {}}")
    platform.write({"environments/dev/terraform.tfvars": f'echo = {{\n  text = "{escaped}"\n}}\n'})
    platform.render()
    terraform("init", "-input=false", cwd=platform.root("echo"))
    asked = '"${length(var.text)} ${md5(var.text)}"\n'
    found = terraform("console", cwd=platform.root("echo"), stdin=asked).stdout.strip().strip('"').split()
    assert len(text) >= 1_000_000
    assert found == [str(len(text)), hashlib.md5(text.encode()).hexdigest()]


@pytest.mark.slow
def test_five_thousand_variables_render(platform):
    names = [f"input_{number}" for number in range(5000)]
    platform.module("wide", "".join(f'variable "{name}" {{\n  type = string\n}}\n' for name in names))
    platform.environment("{wide: {}}")
    lines = "".join(f'  {name} = "{name}"\n' for name in names)
    platform.write({"environments/dev/terraform.tfvars": f"wide = {{\n{lines}}}\n"})
    files = platform.render()
    values = next(text for path, text in files.items() if path.name == "values.auto.tfvars.json")
    assert json.loads(values) == {name: name for name in names}
    main = next(text for path, text in files.items() if path.name == "main.tf")
    assert "  input_4999 = var.input_4999\n" in main
