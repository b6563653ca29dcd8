"""A secret in every kind of input is in nothing that people or other programs get to read.

One platform holds them all, and one walk from a plan over an apply to a failed plan tells of it. Bundles are left out:
they hold values (docs/bundles.md), and `--encrypt-to` seals them.
"""

import base64
import json
import re
from urllib.parse import quote

import pytest

from tests.doubles.forge import TOKEN
from tests.integration.ci.life import APP, CANARY, TFVARS

pytestmark = pytest.mark.terraform


def canary(kind):
    return f"canary-{kind}-5e1d"


LINES = ("-----BEGIN OF A KEY-----", canary("first-line"), canary("second-line"))
REFERENCES = {"PASSWORD": canary("reference") + '"\\<&', "KEY": "\n".join(LINES)}
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": canary("access-key"),
    "AWS_SECRET_ACCESS_KEY": canary("secret-key"),
    "AWS_SESSION_TOKEN": canary("session"),
    "VAULT_TOKEN": canary("vault"),
    "SOMETHING_ELSE": canary("shell"),
}
VARIABLES = """
variable "password" {
  type        = string
  description = "A reference"
  sensitive   = true
}
variable "key" {
  type        = string
  description = "A reference to several lines"
  sensitive   = true
}
variable "plain" {
  type        = string
  description = "A value in a sandbox's terraform.tfvars"
  sensitive   = true
}
variable "inner" {
  type        = object({ token = string })
  description = "A default"
  sensitive   = true
  default     = { token = "canary-default-5e1d" }
}
variable "is_wrong" {
  type        = bool
  description = "Whether it fails"
  default     = false
}
"""
RESOURCES = """
resource "terraform_data" "shown" {
  input = nonsensitive(var.password)
}
resource "terraform_data" "script" {
  input = <<EOT
#!/bin/sh
curl -u "x:${nonsensitive(var.password)}" https://example.test
cat > /key <<KEY
${nonsensitive(var.key)}
KEY
EOT
}
resource "terraform_data" "user_data" {
  input = base64encode("#!/bin/sh\\necho ${nonsensitive(var.password)}\\n")
}
resource "terraform_data" "document" {
  input = jsonencode({ password = nonsensitive(var.password), key = nonsensitive(var.key) })
}
resource "terraform_data" "link" {
  input = "https://x:${urlencode(nonsensitive(var.password))}@example.test"
}
resource "terraform_data" "masked" {
  input = [var.plain, var.inner]

  lifecycle {
    precondition {
      condition     = !var.is_wrong
      error_message = "refused ${nonsensitive(var.password)} and ${nonsensitive(var.key)}"
    }
  }
}
output "masked" {
  description = "A sensitive output"
  value       = [var.plain, var.inner]
  sensitive   = true
}
"""
VALUES = """app = {{
  password = "env:PASSWORD"
  key      = "env:KEY"
  plain    = "{plain}" # {comment}
  is_wrong = {is_wrong}
}}
"""
POLICY = """package own

import rego.v1

# {canary}
deny contains "never" if {{
  some change in input.resource_changes
  change.change.after.input == "{canary}"
}}
"""
MASK = re.compile(r"(?m)^::add-mask::.*$")  # GitHub takes these lines out of the log
USERINFO = canary("userinfo")


@pytest.fixture
def leaky(life, monkeypatch):
    """The platform with a secret in every file of it, in Git, and in the shell."""
    more = {
        APP: VARIABLES,
        "modules/app/app.tf": RESOURCES,
        "modules/app/app.dummy": 'password = "env:PASSWORD"\nkey = "env:KEY"\nplain = "x"\n',
        "templates/root/versions.tf.j2": f"{{# {canary('template')} #}}\n",
    }
    for name, text in more.items():
        path = life.path / name
        path.write_text(path.read_text() + text)
    document = life.path / "environments/dev/environment.yaml"
    reason = f"differences:\n  units.x: {{owner: {canary('owner')}, until: 2099-01-01, reason: {canary('reason')}}}\n"
    document.write_text(f"# {canary('comment')}\n{document.read_text()}{reason}")
    (life.path / "policies").mkdir()
    (life.path / "policies/own.rego").write_text(POLICY.format(canary=canary("policy")))
    write(life, "false")
    life.git("checkout", "--quiet", "main")
    life.commit("Leaky")
    life.git("push", "--quiet", "origin", "main")
    life.git("remote", "add", "a-mirror", f"https://{USERINFO}:{USERINFO}@127.0.0.1:9/y.git")
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", canary("name"))
        monkeypatch.setenv(f"GIT_{role}_EMAIL", f"{canary('mail')}@example.com")
    return life


def write(life, is_wrong):
    text = VALUES.format(plain=canary("value"), comment=canary("remark"), is_wrong=is_wrong)
    path = life.path / TFVARS
    path.write_text('base = {\n  cidr = "10.0.0.0/16"\n}\n' + text)


def walk(life):
    """A plan, its apply, a plan that fails, one whose base is not to be had, and a check of a stranger's change."""
    env = {**CREDENTIALS, **REFERENCES}
    life.branch(canary("branch"))
    life.commit(canary("commit"), tfvars=("10.0.0.0", "10.1.0.0"))
    yield 0, life.run("Plan", "plan", "--json", event=life.pull(), env=env)
    yield 0, life.run("Apply", "apply", "--json", event=life.merge(), name="push", env=env)
    life.branch(canary("branch-2"))
    write(life, "true")
    life.commit(canary("commit"))
    event = life.pull(number=13)
    yield 1, life.run("Fail", "plan", "--json", event=event, env=env)
    yield 0, life.run("Checks", "plan", "--json", event=life.pull(is_fork=True, number=14), env=env)
    event["pull_request"]["base"]["sha"] = "e" * 40
    life.git("remote", "set-url", "origin", f"https://{USERINFO}:{USERINFO}@127.0.0.1:9/x.git")
    yield 69, life.run("No base", "plan", "--json", event=event, env=env)


def secrets():
    """What all of them hold, and how texts spell the one that is handed to Terraform."""
    password = REFERENCES["PASSWORD"]
    encoded = base64.b64encode(f"#!/bin/sh\necho {password}\n".encode()).decode()[24:-8]
    return ["canary-", TOKEN, CANARY, password, json.dumps(password)[1:-1], quote(password, safe=""), encoded]


def test_no_secret_is_told_to_anybody(leaky):
    for code, done in walk(leaky):
        assert done.exit_code == code, done.stderr
        told = MASK.sub("", leaky.written().decode(errors="replace"))
        assert [around(told, secret) for secret in secrets() if secret in told] == []


def around(text, secret):
    """What stands beside a secret, for whoever has to find it."""
    at = text.index(secret)
    return text[max(0, at - 200) : at + 100]
