"""A file that cannot be read is told by its place: no line of it is quoted, for a secret may stand there."""

import json

import pytest

CANARY = "canary-5e1d"
BROKEN = {
    "tfvars-text": ("environments/dev/terraform.tfvars", f'base = {{\n  password = "{CANARY}\n}}\n'),
    "tfvars-expression": ("environments/dev/terraform.tfvars", f'base = {{\n  cidr = "{CANARY}" + ]\n}}\n'),
    "tfvars-two": ("environments/dev/terraform.tfvars", f'base = {{\n  cidr = "x" "{CANARY}"\n}}\n'),
    "tfvars-block": ("environments/dev/terraform.tfvars", f'base "{CANARY}" = "{CANARY}"\n'),
    "tfvars-heredoc": ("environments/dev/terraform.tfvars", f"base = {{\n  cidr = <<EOT\n{CANARY}\n}}\n"),
    "tfvars-marks": ("environments/dev/terraform.tfvars", f'<<<<<<< HEAD\nx = "{CANARY}"\n=======\n>>>>>>> {CANARY}\n'),
    "environment": ("environments/dev/environment.yaml", f'target: sandbox\nprofile: "{CANARY}\nunits: {{}}\n'),
    "environment-list": ("environments/dev/environment.yaml", f"target: sandbox\nprofile: [{CANARY}\nunits: {{}}\n"),
    "environment-tag": ("environments/dev/environment.yaml", f"profile: !!python/object {CANARY}\n"),
    "ngp": ("ngp.yaml", f'name: small\nstate: "{CANARY}\n'),
    "manifest": ("modules/base/module.yaml", f'title: "{CANARY}\nsummary: x\n'),
    "module": ("modules/base/base.tf", f'locals {{\n  password = "{CANARY}\n}}\n'),
    "module-expression": ("modules/base/base.tf", f'locals {{\n  password = "{CANARY}" "\n}}\n'),
    "template": ("templates/root/versions.tf.j2", f'{{{{ header }}}}\n{{{{ "{CANARY}" + }}}}\n'),
    "template-value": ("templates/root/versions.tf.j2", f'{{{{ "{CANARY}" | int("{CANARY}") / 0 }}}}\n'),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_named_and_not_quoted(repository, tmp_path, name):
    path, text = BROKEN[name]
    base = repository.head
    (repository.path / path).write_text(text)
    repository.commit()
    done = repository.run("plan", "--json", event=repository.pull(base))
    assert done.exit_code == 64, done.stderr
    bodies = json.dumps([body for _, _, body in repository.forge.requests])
    files = b"".join(one.read_bytes() for one in (repository.path / ".ngp/ci").iterdir()).decode()
    assert path in done.stderr.replace("\\", "/")
    assert CANARY not in done.stdout + done.stderr + bodies + files
