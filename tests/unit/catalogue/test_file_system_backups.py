"""The rule that a file system which holds data has backups where nobody asks for them."""

import pytest

SYSTEM = 'resource "aws_efs_file_system" "home" {\n  encrypted = true\n}\n'
POLICY = """resource "aws_efs_backup_policy" "home" {
  file_system_id = aws_efs_file_system.home.id
  backup_policy {
    status = "ENABLED"
  }
}
"""
VAULT = """variable "vault" {
  type    = string
  default = "%s"
}
resource "aws_backup_selection" "home" {
  count     = var.vault == "" ? 0 : 1
  resources = [aws_efs_file_system.home.arn]
}
"""
LOCAL = """locals {
  homes = [aws_efs_file_system.home.arn]
}
resource "aws_backup_selection" "home" {
  resources = local.homes
}
"""
TAGGED = """resource "aws_backup_selection" "all" {
  selection_tag {
    key   = "Backup"
    value = "daily"
  }
}
"""
EVERY = 'resource "aws_backup_selection" "all" {\n  resources = ["*"]\n}\n'
DATA = "data: [aws_efs_file_system.home]\n"


def optional(text):
    return text.replace("{\n", "{\n  count = local.wanted ? 1 : 0\n", 1)


@pytest.mark.parametrize(
    ("text", "manifest", "found"),
    [
        (SYSTEM, DATA, ["aws_efs_file_system.home"]),
        (SYSTEM + POLICY, DATA, []),
        (SYSTEM + POLICY.replace(".home.id", ".other.id"), DATA, ["aws_efs_file_system.home"]),
        (SYSTEM + VAULT % "", DATA, ["aws_efs_file_system.home"]),  # only where somebody names a vault
        (SYSTEM + VAULT % "nightly", DATA, []),
        (optional(SYSTEM) + optional(POLICY), DATA, []),  # both, or neither
        (optional(SYSTEM) + VAULT % "", DATA, ["aws_efs_file_system.home"]),
        (SYSTEM + POLICY.replace("ENABLED", "DISABLED"), DATA, ["aws_efs_file_system.home"]),
        (SYSTEM + POLICY.replace('"ENABLED"', "local.status"), DATA, ["aws_efs_file_system.home"]),
        (SYSTEM + POLICY.replace('"ENABLED"', "local.other"), DATA, []),  # only Terraform knows
        (SYSTEM + LOCAL, DATA, []),
        (SYSTEM + LOCAL.replace(".home.arn", ".other.arn"), DATA, ["aws_efs_file_system.home"]),
        (SYSTEM + TAGGED, DATA, []),
        (SYSTEM + EVERY, DATA, []),
        (SYSTEM + EVERY.replace("{", "{\n  count = 0", 1), DATA, ["aws_efs_file_system.home"]),
        (SYSTEM, "", []),
    ],
)
def test_file_system_that_holds_data_has_backups(check_text, text, manifest, found):
    text += 'locals {\n  wanted = false\n  status = local.wanted ? "ENABLED" : "DISABLED"\n}\n'
    assert [each.about for each in check_text(text, manifest) if each.rule == "backup"] == found
