terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 6"
    }
  }
}

data "aws_caller_identity" "current" {}

locals {
  unit = var.unit != "" ? var.unit : "snapshot"
  name = "${var.pre_tag}-${local.unit}-${var.post_tag}"

  # A bucket may have 63 characters, and neither capitals nor a dash at a seam.
  bucket_name = lower("${var.pre_tag}-${trim(substr(local.unit, 0, 16), "-")}-${var.post_tag}-${substr(sha1("${var.project}/${var.environment}/${local.unit}/${data.aws_caller_identity.current.account_id}/${var.region}"), 0, 8)}")

  own_tags = {
    Project     = var.project
    Environment = var.environment
    Cluster     = local.unit
    Service     = var.service
    Version     = var.version_tag
    "ngp:unit"  = local.unit
  }
  tags = merge(var.tags, local.own_tags)

  is_swarm      = var.runtime == "swarm" ? 1 : 0
  is_marathon   = var.runtime == "marathon" ? 1 : 0
  prefix        = "${var.environment}/"
  log_group     = var.runtime == "marathon" ? "/aws/lambda/${local.name}" : "/${var.project}/${var.environment}/${local.unit}"
  kms_key_arn   = var.kms_key_arn != "" ? var.kms_key_arn : null
  boundary_arn  = var.permissions_boundary_arn != "" ? var.permissions_boundary_arn : null
  alarm_actions = compact([var.alarm_topic_arn])
}

# Where snapshots lie. Nobody who writes them may delete one: they go when they are keep_days old.

resource "aws_s3_bucket" "snapshots" {
  bucket        = local.bucket_name
  force_destroy = var.force_destroy
  tags          = merge(local.tags, { Name = local.name })
}

resource "aws_s3_bucket_public_access_block" "snapshots" {
  bucket                  = aws_s3_bucket.snapshots.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "snapshots" {
  bucket = aws_s3_bucket.snapshots.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_versioning" "snapshots" {
  bucket = aws_s3_bucket.snapshots.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "snapshots" {
  bucket = aws_s3_bucket.snapshots.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = local.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "snapshots" {
  bucket = aws_s3_bucket.snapshots.id

  rule {
    id     = "old-snapshots"
    status = "Enabled"

    filter {
      prefix = local.prefix
    }

    expiration {
      days = var.keep_days
    }

    # What was written over or deleted by hand can be brought back for a month.
    noncurrent_version_expiration {
      noncurrent_days = 30
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  depends_on = [aws_s3_bucket_versioning.snapshots]
}

data "aws_iam_policy_document" "bucket" {
  statement {
    sid       = "OnlyByTls"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.snapshots.arn, "${aws_s3_bucket.snapshots.arn}/*"]

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

resource "aws_s3_bucket_policy" "snapshots" {
  bucket = aws_s3_bucket.snapshots.id
  policy = data.aws_iam_policy_document.bucket.json

  depends_on = [aws_s3_bucket_public_access_block.snapshots]
}

# What whoever saves and restores may do: the managers' role, or the function's.

data "aws_iam_policy_document" "keep" {
  statement {
    sid       = "FindSnapshots"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.snapshots.arn]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["${local.prefix}*"]
    }
  }

  statement {
    sid       = "KeepSnapshots"
    actions   = ["s3:PutObject", "s3:GetObject"]
    resources = ["${aws_s3_bucket.snapshots.arn}/${local.prefix}*"]
  }

  statement {
    sid       = "Log"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.this.arn}:*"]
  }

  dynamic "statement" {
    for_each = compact([var.kms_key_arn])

    content {
      sid       = "UseTheKey"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [statement.value]
    }
  }
}

resource "aws_iam_policy" "keep" {
  name        = "${local.name}-keep"
  description = "Saves and reads the snapshots of ${local.unit}"
  policy      = data.aws_iam_policy_document.keep.json
  tags        = merge(local.tags, { Name = "${local.name}-keep" })
}

# A snapshot that was saved is a line in the log, and the line is what the alarm counts: it is raised as well where
# nothing runs any more that could complain.

resource "aws_cloudwatch_log_group" "this" {
  name              = local.log_group
  retention_in_days = var.log_retention_days
  kms_key_id        = local.kms_key_arn
  tags              = merge(local.tags, { Name = local.log_group })
}

resource "aws_cloudwatch_log_metric_filter" "saved" {
  name           = "${local.name}-saved"
  log_group_name = aws_cloudwatch_log_group.this.name
  pattern        = "{ $.event = \"saved\" }"

  metric_transformation {
    namespace = "ngp/snapshot"
    name      = "${local.name}-saved"
    value     = "1"
  }
}

resource "aws_cloudwatch_metric_alarm" "missing" {
  alarm_name          = "${local.name}-missing"
  alarm_description   = "No successful snapshot of ${local.unit} in ${2 * var.interval_hours} h."
  namespace           = aws_cloudwatch_log_metric_filter.saved.metric_transformation[0].namespace
  metric_name         = aws_cloudwatch_log_metric_filter.saved.metric_transformation[0].name
  statistic           = "Sum"
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  period              = var.interval_hours * 3600
  evaluation_periods  = 2
  treat_missing_data  = "breaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
  tags                = merge(local.tags, { Name = "${local.name}-missing" })
}
