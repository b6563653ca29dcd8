"""Default answers: dummies belong to the sandbox and to `--dummies`, never to a prompt for a real account."""

import json

import pytest

from ngp import cli
from ngp.environments import drafting, drafts
from ngp.environments.drafts import Choice

REAL = """\
target: aws
account: "111122223333"
region: eu-west-1
domain: {0}.example.com
units: {{openvpn: {{}}, network: {{}}}}
"""
DUMMIES = 'pre_tag = "demo"\npost_tag = "dev"\nopenvpn = {\n  admin_cidrs = ["198.51.100.0/24"]\n}\n'
OWN = 'pre_tag = "acme"\npost_tag = "stage"\nopenvpn = {\n  admin_cidrs = ["203.0.113.0/24"]\n}\n'


def _defaults(house, name, **choice):
    draft = drafting.prepare(drafts.read(house.platform, name), Choice(**choice))
    return {each.name: (each.default, each.origin) for each in draft.questions if each.variable}


@pytest.fixture
def real(house):
    """prod on AWS without values, beside the sandbox dev that has nothing but dummies."""
    house.environment(values=DUMMIES)
    house.environment(REAL.format("prod"), "", "prod")
    return house


def test_a_sandbox_is_offered_dummies(house):
    house.environment(values="")
    assert _defaults(house, "dev") == {
        "pre_tag": ('"demo"', "a dummy"),
        "post_tag": ('"one"', "a dummy"),
        "openvpn.admin_cidrs": ('["198.51.100.0/24"]', "a dummy"),
    }


def test_a_real_account_is_offered_no_dummy_not_even_through_another_environment(real):
    assert _defaults(real, "prod") == {
        "pre_tag": ("", ""),
        "openvpn.admin_cidrs": ("", ""),
        "post_tag": ('"prod"', "from `dev`"),  # named for its environment, as dev's is
    }


def test_a_real_account_is_offered_what_another_environment_has(real):
    real.environment(REAL.format("stage"), OWN, "stage")
    assert _defaults(real, "prod") == {
        "pre_tag": ('"acme"', "from `stage`"),
        "post_tag": ('"prod"', "from `stage`"),
        "openvpn.admin_cidrs": ('["203.0.113.0/24"]', "from `stage`"),
    }


def test_another_instance_of_the_same_module_serves_too(real):
    other = REAL.format("stage").replace("openvpn: {}", "way-in: {module: openvpn}")
    real.environment(other, OWN.replace("openvpn =", "way-in ="), "stage")
    assert _defaults(real, "prod")["openvpn.admin_cidrs"] == ('["203.0.113.0/24"]', "from `stage`")


def test_the_instance_of_the_same_name_serves_first(real):
    other = REAL.format("stage").replace("openvpn: {}", "a-way: {module: openvpn}, openvpn: {}")
    real.environment(other, OWN + 'a-way = {\n  admin_cidrs = ["192.0.2.0/24"]\n}\n', "stage")
    assert _defaults(real, "prod")["openvpn.admin_cidrs"] == ('["203.0.113.0/24"]', "from `stage`")


def test_sensitive_values_are_offered_to_nobody(real):
    path = real.path / "modules" / "openvpn" / "openvpn-variables.tf"
    text = path.read_text()
    path.write_text(text.replace('description = "Networks', 'sensitive = true\n  description = "Networks'))
    real.environment(REAL.format("stage"), OWN, "stage")
    assert _defaults(real, "prod")["openvpn.admin_cidrs"] == ("", "")


def test_an_environment_that_cannot_be_read_offers_nothing(real):
    real.environment("[", OWN, "broken")
    assert _defaults(real, "prod")["pre_tag"] == ("", "")


def test_the_flag_takes_dummies_for_a_real_account_too(real):
    real.environment(REAL.format("stage"), OWN, "stage")
    wires = {}
    draft = drafting.prepare(drafts.read(real.platform, "prod"), Choice(dummies=True, wires=wires))
    text = draft.files[real.path / "environments/prod/terraform.tfvars"]
    assert 'admin_cidrs = ["198.51.100.0/24"]' in text
    assert "acme" not in text


def test_a_real_environment_made_from_a_sandbox_takes_no_dummies(house, capsys, monkeypatch):
    house.environment(values=DUMMIES.replace("}", '  instance_type = "t3.large"\n}'))
    monkeypatch.chdir(house.path)
    argv = ["env", "new", "prod", "--from", "dev", "--no-sandbox", "--account", "111122223333", "--region", "eu-west-1"]
    assert cli.run([*argv, "--domain", "prod.example.com", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["environment"] == "prod"
    text = house.read("terraform.tfvars", "prod")
    assert "198.51.100.0/24" not in text
    assert '"demo"' not in text
    assert 'instance_type = "t3.large"' in text
    assert _defaults(house, "prod")["pre_tag"] == ("", "")


def test_a_sandbox_made_from_a_sandbox_keeps_them(house, monkeypatch):
    house.environment(values=DUMMIES)
    monkeypatch.chdir(house.path)
    argv = ["env", "new", "lab", "--from", "dev", "--account", "123456789012", "--region", "eu-west-1"]
    assert cli.run([*argv, "--domain", "lab.example.com"]) == 0
    assert "198.51.100.0/24" in house.read("terraform.tfvars", "lab")
