# Key, bucket, logs, and the shared file system.

data "aws_iam_policy_document" "key" {
  statement {
    sid       = "AccountDecides"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${local.partition}:iam::${local.account_id}:root"]
    }
  }

  statement {
    sid       = "LogsOfThisCluster"
    actions   = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:DescribeKey"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["logs.${var.region}.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "kms:EncryptionContext:aws:logs:arn"
      values   = ["arn:${local.partition}:logs:${var.region}:${local.account_id}:log-group:${local.log_group}"]
    }
  }
}

resource "aws_kms_key" "cluster" {
  count = var.kms_key_arn == "" ? 1 : 0

  description             = "Secrets, files and logs of the Swarm cluster ${local.unit}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = data.aws_iam_policy_document.key.json
  tags                    = merge(local.tags, { Name = local.name["Key"] })
}

resource "aws_kms_alias" "cluster" {
  count = var.kms_key_arn == "" ? 1 : 0

  name          = "alias/${var.pre_tag}-${local.unit}-${var.post_tag}"
  target_key_id = aws_kms_key.cluster[0].key_id
}

resource "aws_cloudwatch_log_group" "cluster" {
  name              = local.log_group
  retention_in_days = var.log_retention_days
  kms_key_id        = local.kms_key_arn
  tags              = merge(local.tags, { Name = local.log_group })
}

resource "aws_s3_bucket" "files" {
  bucket        = local.bucket_name
  force_destroy = var.force_destroy
  tags          = merge(local.tags, { Name = local.name["Files"] })
}

resource "aws_s3_bucket_public_access_block" "files" {
  bucket                  = aws_s3_bucket.files.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "files" {
  bucket = aws_s3_bucket.files.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_versioning" "files" {
  bucket = aws_s3_bucket.files.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "files" {
  bucket = aws_s3_bucket.files.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = local.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "files" {
  bucket = aws_s3_bucket.files.id

  rule {
    id     = "old-versions"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = 90
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  depends_on = [aws_s3_bucket_versioning.files]
}

data "aws_iam_policy_document" "files" {
  statement {
    sid       = "OnlyByTls"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.files.arn, "${aws_s3_bucket.files.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "files" {
  bucket = aws_s3_bucket.files.id
  policy = data.aws_iam_policy_document.files.json

  depends_on = [aws_s3_bucket_public_access_block.files]
}

# The router is a stack file like any other: the managers' timer finds it below the prefix and deploys it.
resource "aws_s3_object" "router" {
  bucket       = aws_s3_bucket.files.id
  key          = "${local.stack_prefix}router/stack.yml"
  content_type = "application/yaml"
  content = templatefile("${path.module}/files/router.yml.tftpl", {
    image          = local.router_image
    domain         = local.domain
    vpc_cidr       = var.vpc_cidr
    idle_timeout_s = var.lb_idle_timeout_s
  })
  tags = merge(local.own_tags, { Name = "router" }) # an object may have ten tags

  # Encryption and versions stand before the first object.
  depends_on = [
    aws_s3_bucket_server_side_encryption_configuration.files,
    aws_s3_bucket_versioning.files,
    aws_s3_bucket_ownership_controls.files,
  ]
}

resource "aws_efs_file_system" "shared" {
  count = var.efs_enabled ? 1 : 0

  encrypted       = true
  kms_key_id      = local.kms_key_arn
  throughput_mode = "elastic"
  tags            = merge(local.tags, { Name = local.name["EFS"] })
}

resource "aws_efs_mount_target" "shared" {
  count = var.efs_enabled ? length(var.private_subnet_ids) : 0

  file_system_id  = aws_efs_file_system.shared[0].id
  subnet_id       = var.private_subnet_ids[count.index]
  security_groups = [aws_security_group.efs[0].id]
}

locals {
  efs_backup = var.efs_enabled && var.efs_backup_vault != "" ? 1 : 0
}

# Where no vault is named, EFS makes backups by itself.
resource "aws_efs_backup_policy" "shared" {
  count = var.efs_enabled ? 1 : 0

  file_system_id = aws_efs_file_system.shared[0].id

  backup_policy {
    status = var.efs_backup_vault == "" ? "ENABLED" : "DISABLED"
  }
}

resource "aws_backup_plan" "shared" {
  count = local.efs_backup

  name = local.backup_name
  tags = merge(local.tags, { Name = local.name["EFS"] })

  rule {
    rule_name         = "daily"
    target_vault_name = var.efs_backup_vault
    schedule          = "cron(0 3 * * ? *)"

    lifecycle {
      delete_after = var.efs_backup_days
    }
  }
}

resource "aws_backup_selection" "shared" {
  count = local.efs_backup

  name         = local.backup_name
  plan_id      = aws_backup_plan.shared[0].id
  iam_role_arn = aws_iam_role.backup[0].arn
  resources    = [aws_efs_file_system.shared[0].arn]
}
