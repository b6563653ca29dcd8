# Backups of the disk that holds the past; what `recent` holds is gone in days anyway.

data "aws_iam_policy_document" "backup_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["backup.amazonaws.com"]
    }
  }
}

locals {
  backup_full = "${var.pre_tag}-${local.unit}-${var.post_tag}"
  backup_name = length(local.backup_full) <= 50 ? local.backup_full : "${substr(local.backup_full, 0, 41)}-${substr(sha1(local.backup_full), 0, 8)}" # a vault's may have 50 characters
}

resource "aws_iam_role" "backup" {
  count = local.backup ? 1 : 0

  name                 = format(local.name, "${local.unit}-backup")
  description          = "AWS Backup saves the series that are kept for long"
  assume_role_policy   = data.aws_iam_policy_document.backup_trust.json
  permissions_boundary = var.permissions_boundary_arn == "" ? null : var.permissions_boundary_arn
  tags                 = merge(local.tags, { Name = format(local.name, "${local.unit}-backup") })
}

resource "aws_iam_role_policy_attachment" "backup" {
  count = local.backup ? 1 : 0

  role       = aws_iam_role.backup[0].name
  policy_arn = "${local.arn}:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
}

resource "aws_backup_vault" "this" {
  count = local.backup ? 1 : 0

  name        = local.backup_name
  kms_key_arn = var.kms_key_arn == "" ? null : var.kms_key_arn
  tags        = merge(local.tags, { Name = format(local.name, local.unit) })
}

resource "aws_backup_plan" "this" {
  count = local.backup ? 1 : 0

  name = local.backup_name
  tags = merge(local.tags, { Name = format(local.name, local.unit) })

  rule {
    rule_name         = "daily"
    target_vault_name = aws_backup_vault.this[0].name
    schedule          = "cron(0 3 * * ? *)"

    lifecycle {
      delete_after = var.backup_retention_days
    }
  }
}

resource "aws_backup_selection" "this" {
  count = local.backup ? 1 : 0

  name         = local.backup_name
  iam_role_arn = aws_iam_role.backup[0].arn
  plan_id      = aws_backup_plan.this[0].id
  resources    = [aws_ebs_volume.data["longterm"].arn]
}
