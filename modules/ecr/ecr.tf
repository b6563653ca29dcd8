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

data "aws_partition" "current" {}

locals {
  unit      = var.unit != "" ? var.unit : "ecr"
  name      = "${var.pre_tag}-${local.unit}-${var.post_tag}"
  namespace = var.namespace != "" ? var.namespace : replace(lower(var.pre_tag), "/-+/", "-") # ECR takes single dashes only
  partition = data.aws_partition.current.partition

  tags = merge(var.tags, {
    Project     = var.project
    Environment = var.environment
    Cluster     = local.unit
    Service     = var.service
    Version     = var.version_tag
    "ngp:unit"  = local.unit
  })

  account_id  = data.aws_caller_identity.current.account_id
  host        = "${local.account_id}.dkr.ecr.${var.region}.${data.aws_partition.current.dns_suffix}"
  arn_prefix  = "arn:${local.partition}:ecr:${var.region}:${local.account_id}:repository/"
  cached_arns = [for prefix in keys(var.pull_through) : "${local.arn_prefix}${prefix}/*"]
  has_caches  = length(var.pull_through) > 0 ? 1 : 0

  # The repositories by name, for other units may have the same namespace; all below the namespace only where the names do not
  # fit. IAM takes 6,144 characters; the push policy, the larger one, names every ARN twice and has some 550 besides.
  named_arns   = [for name in sort(keys(var.repositories)) : "${local.arn_prefix}${local.namespace}/${name}"]
  push_size    = 560 + 2 * length(jsonencode(concat(local.named_arns, local.cached_arns)))
  names_do_fit = local.push_size <= 6144
  own_arns     = local.names_do_fit ? local.named_arns : ["${local.arn_prefix}${local.namespace}/*"]
}

resource "aws_ecr_repository" "this" {
  for_each = var.repositories

  name                 = "${local.namespace}/${each.key}"
  image_tag_mutability = each.value.immutable ? "IMMUTABLE" : "MUTABLE"
  force_delete         = var.force_delete
  tags                 = merge(local.tags, { Name = "${local.namespace}/${each.key}" })

  image_scanning_configuration {
    scan_on_push = each.value.scan_on_push
  }

  encryption_configuration {
    encryption_type = var.kms_key_arn != "" ? "KMS" : "AES256"
    kms_key         = var.kms_key_arn != "" ? var.kms_key_arn : null
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  for_each = var.repositories

  repository = aws_ecr_repository.this[each.key].name
  policy = jsonencode({
    rules = [
      {
        rulePriority = 1
        description  = "Untagged images go after ${each.value.untagged_days} days"
        selection = {
          tagStatus   = "untagged"
          countType   = "sinceImagePushed"
          countUnit   = "days"
          countNumber = each.value.untagged_days
        }
        action = { type = "expire" }
      },
      {
        rulePriority = 2
        description  = "The newest ${each.value.keep_tagged} tagged images stay"
        selection = {
          tagStatus      = "tagged"
          tagPatternList = ["*"]
          countType      = "imageCountMoreThan"
          countNumber    = each.value.keep_tagged
        }
        action = { type = "expire" }
      },
    ]
  })
}

data "aws_iam_policy_document" "cross_account" {
  statement {
    sid     = "PullFromOtherAccounts"
    actions = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]

    principals {
      type        = "AWS"
      identifiers = [for account in sort(var.pull_account_ids) : "arn:${local.partition}:iam::${account}:root"]
    }
  }
}

resource "aws_ecr_repository_policy" "cross_account" {
  for_each = length(var.pull_account_ids) > 0 ? var.repositories : {}

  repository = aws_ecr_repository.this[each.key].name
  policy     = data.aws_iam_policy_document.cross_account.json
}

# One for the whole account and region: at most one environment may hold it.
resource "aws_ecr_registry_scanning_configuration" "this" {
  count = var.registry_scanning != "" ? 1 : 0

  scan_type = var.registry_scanning

  rule {
    scan_frequency = var.registry_scanning == "ENHANCED" ? "CONTINUOUS_SCAN" : "SCAN_ON_PUSH"

    repository_filter {
      filter      = "*"
      filter_type = "WILDCARD"
    }
  }
}

resource "aws_ecr_pull_through_cache_rule" "this" {
  for_each = var.pull_through

  ecr_repository_prefix = each.key
  upstream_registry_url = each.value.upstream
  credential_arn        = each.value.credential_arn != "" ? each.value.credential_arn : null
}

# ECR makes a cache's repositories itself, as the template says: without one they are never cleaned, have no tags, and the
# key is AWS's own.
resource "aws_ecr_repository_creation_template" "this" {
  for_each = var.pull_through

  prefix               = each.key
  description          = "Caches of ${each.value.upstream}"
  applied_for          = ["PULL_THROUGH_CACHE"]
  image_tag_mutability = "MUTABLE" # an upstream moves its tags
  custom_role_arn      = aws_iam_role.cache[0].arn
  resource_tags        = merge(local.tags, { Name = each.key })

  lifecycle_policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "The newest ${var.cached_images} images stay"
      selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = var.cached_images }
      action       = { type = "expire" }
    }]
  })

  encryption_configuration {
    encryption_type = var.kms_key_arn != "" ? "KMS" : "AES256"
    kms_key         = var.kms_key_arn != "" ? var.kms_key_arn : null
  }

  depends_on = [aws_iam_role_policy.cache]
}

data "aws_iam_policy_document" "cache_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecr.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "cache" {
  statement {
    sid       = "MakeRepositories"
    actions   = ["ecr:CreateRepository", "ecr:ReplicateImage", "ecr:TagResource"]
    resources = length(local.cached_arns) > 0 ? local.cached_arns : ["${local.arn_prefix}none"]
  }

  dynamic "statement" {
    for_each = compact([var.kms_key_arn])

    content {
      sid       = "UseTheKey"
      actions   = ["kms:CreateGrant", "kms:DescribeKey", "kms:RetireGrant"]
      resources = [statement.value]
    }
  }
}

resource "aws_iam_role" "cache" {
  count = local.has_caches

  name                 = "${local.name}-cache"
  description          = "ECR makes the repositories of caches by it"
  assume_role_policy   = data.aws_iam_policy_document.cache_trust.json
  permissions_boundary = var.permissions_boundary_arn != "" ? var.permissions_boundary_arn : null
  tags                 = merge(local.tags, { Name = "${local.name}-cache" })
}

resource "aws_iam_role_policy" "cache" {
  count = local.has_caches

  name   = "cache"
  role   = aws_iam_role.cache[0].id
  policy = data.aws_iam_policy_document.cache.json
}

data "aws_iam_policy_document" "pull" {
  statement {
    sid       = "LogIn"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  dynamic "statement" {
    for_each = length(var.repositories) + length(var.pull_through) > 0 ? ["any"] : []

    content {
      sid       = "Pull"
      actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      resources = concat(local.own_arns, local.cached_arns)
    }
  }

  # The first pull through a rule makes the repository and fills it.
  dynamic "statement" {
    for_each = length(var.pull_through) > 0 ? ["any"] : []

    content {
      sid       = "PullThrough"
      actions   = ["ecr:CreateRepository", "ecr:BatchImportUpstreamImage"]
      resources = local.cached_arns
    }
  }
}

resource "aws_iam_policy" "pull" {
  name        = "${local.name}-pull"
  description = "Pull from the repositories below ${local.namespace}/"
  policy      = data.aws_iam_policy_document.pull.json
  tags        = merge(local.tags, { Name = "${local.name}-pull" })
}

resource "aws_iam_role_policy_attachment" "pull" {
  count = length(var.pull_role_names)

  role       = var.pull_role_names[count.index]
  policy_arn = aws_iam_policy.pull.arn
}

data "aws_iam_policy_document" "push" {
  source_policy_documents = [data.aws_iam_policy_document.pull.json]

  dynamic "statement" {
    for_each = length(var.repositories) > 0 ? ["any"] : []

    content {
      sid = "Push"
      actions = [
        "ecr:CompleteLayerUpload",
        "ecr:DescribeImages",
        "ecr:InitiateLayerUpload",
        "ecr:PutImage",
        "ecr:UploadLayerPart",
      ]
      resources = local.own_arns
    }
  }
}

resource "aws_iam_policy" "push" {
  name        = "${local.name}-push"
  description = "Push to the repositories below ${local.namespace}/ (for CI)"
  policy      = data.aws_iam_policy_document.push.json
  tags        = merge(local.tags, { Name = "${local.name}-push" })
}

# Findings of a scan go to the alarm topic, whose policy must let EventBridge publish. Enhanced scanning is told by Inspector,
# in words of its own.

resource "aws_cloudwatch_event_rule" "findings" {
  count = var.notify_findings ? 1 : 0

  name        = "${local.name}-findings"
  description = "Scans of ${local.namespace}/ that found something critical or high"
  tags        = merge(local.tags, { Name = "${local.name}-findings" })
  event_pattern = jsonencode({
    source      = ["aws.ecr", "aws.inspector2"]
    detail-type = ["ECR Image Scan", "Inspector2 Scan"]
    detail = {
      scan-status     = ["COMPLETE", "INITIAL_SCAN_COMPLETE"]
      repository-name = [{ prefix = "${local.namespace}/" }, { prefix = "${local.arn_prefix}${local.namespace}/" }]
      "$or" = [for severity in ["CRITICAL", "HIGH"] : {
        finding-severity-counts = { (severity) = [{ numeric = [">", 0] }] }
      }]
    }
  })
}

resource "aws_cloudwatch_event_target" "findings" {
  count = var.notify_findings ? 1 : 0

  rule      = aws_cloudwatch_event_rule.findings[0].name
  target_id = "alarms"
  arn       = var.alarm_topic_arn
}
