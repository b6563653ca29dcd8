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

data "aws_route53_zone" "platform" {
  name         = var.domain_name
  private_zone = false
}

locals {
  unit        = var.unit != "" ? var.unit : "docker-registry"
  name        = "${var.pre_tag}-${local.unit}-${var.post_tag}"
  bucket_name = var.bucket_name != "" ? var.bucket_name : lower("${var.pre_tag}-${trim(substr(local.unit, 0, 16), "-")}-${var.post_tag}-${substr(sha1("${var.project}/${var.environment}/${local.unit}/${data.aws_caller_identity.current.account_id}/${var.region}"), 0, 8)}")
  host        = "${var.hostname}.${var.swarm_domain}"
  kms_key_arn = var.kms_key_arn != "" ? var.kms_key_arn : var.swarm_kms_key_arn
  manager_arn = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:role/${var.swarm_manager_role_name}"

  own_tags = {
    Project     = var.project
    Environment = var.environment
    Cluster     = local.unit
    Service     = var.service
    Version     = var.version_tag
    "ngp:unit"  = local.unit
  }
  tags = merge(var.tags, local.own_tags)

  stack_directory = "${var.swarm_stack_prefix}${local.unit}/"

  # When the registry deletes what no image names, in seconds since the first day of Unix, a Thursday.
  gc_day  = split(" ", var.gc_schedule)[0]
  gc_time = split(":", try(split(" ", var.gc_schedule)[1], "0:0"))
  gc = {
    period_s = var.gc_schedule == "" ? 0 : local.gc_day == "daily" ? 86400 : 604800
    start_s  = try(index(local.weekdays, local.gc_day), 0) * 86400 + tonumber(local.gc_time[0]) * 3600 + tonumber(local.gc_time[1]) * 60
    window_s = var.gc_minutes * 60
  }
  weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]

  # Docker Hub counts anonymous pulls by address, and the cluster has one.
  images = { for name, image in { image = var.image } : name => var.swarm_image_cache != "" && !can(regex("^[^/]+[.:][^/]*/", image)) ? "${var.swarm_image_cache}/${strcontains(image, "/") ? "" : "library/"}${image}" : image }
}

# Where the images lie.

resource "aws_s3_bucket" "images" {
  bucket        = local.bucket_name
  force_destroy = var.force_destroy
  tags          = merge(local.tags, { Name = local.name })
}

resource "aws_s3_bucket_public_access_block" "images" {
  bucket                  = aws_s3_bucket.images.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "images" {
  bucket = aws_s3_bucket.images.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "images" {
  bucket = aws_s3_bucket.images.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = local.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "images" {
  bucket = aws_s3_bucket.images.id

  rule {
    id     = "broken-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}

data "aws_iam_policy_document" "bucket" {
  statement {
    sid       = "OnlyByTls"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.images.arn, "${aws_s3_bucket.images.arn}/*"]

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

resource "aws_s3_bucket_policy" "images" {
  bucket = aws_s3_bucket.images.id
  policy = data.aws_iam_policy_document.bucket.json

  depends_on = [aws_s3_bucket_public_access_block.images]
}

# Who may reach them: the registry, by a role of its own. Managers take it for the registry's containers (roles.json); no other container
# and no worker has it, so that none can put another image in the place of one.

data "aws_iam_policy_document" "storage" {
  # No s3:prefix condition: a registry 3 fails to write with one (distribution#4321).
  statement {
    sid       = "FindImages"
    actions   = ["s3:ListBucket", "s3:GetBucketLocation", "s3:ListBucketMultipartUploads"]
    resources = [aws_s3_bucket.images.arn]
  }

  statement {
    sid       = "KeepImages"
    actions   = ["s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"]
    resources = ["${aws_s3_bucket.images.arn}${var.root_directory}/*"]
  }

  statement {
    sid       = "UseTheKey"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [local.kms_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${var.region}.amazonaws.com"]
    }
  }
}

# Named by a condition: a principal that is made anew under its old name is another one to IAM.
data "aws_iam_policy_document" "assume_storage" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:PrincipalArn"
      values   = [local.manager_arn]
    }
  }
}

resource "aws_iam_role" "storage" {
  name                 = "${local.name}-storage"
  description          = "Storage of the registry ${local.host}"
  assume_role_policy   = data.aws_iam_policy_document.assume_storage.json
  permissions_boundary = var.permissions_boundary_arn != "" ? var.permissions_boundary_arn : null
  tags                 = merge(local.tags, { Name = "${local.name}-storage" })
}

resource "aws_iam_role_policy" "storage" {
  name   = "storage"
  role   = aws_iam_role.storage.id
  policy = data.aws_iam_policy_document.storage.json
}

# Managers alone take that role and read the secret: they make Docker secrets of it, and the leader logs in by it.
data "aws_iam_policy_document" "secret" {
  statement {
    sid       = "TakeTheRegistrysRole"
    actions   = ["sts:AssumeRole"]
    resources = [aws_iam_role.storage.arn]
  }

  statement {
    sid       = "ReadRuntimeSecret"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [aws_secretsmanager_secret.runtime.arn]
  }

  statement {
    sid       = "UseTheKey"
    actions   = ["kms:Decrypt"]
    resources = [local.kms_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["secretsmanager.${var.region}.amazonaws.com"]
    }
  }
}

resource "aws_iam_policy" "secret" {
  name        = "${local.name}-secret"
  description = "Role and runtime secret of the registry ${local.name}"
  policy      = data.aws_iam_policy_document.secret.json
  tags        = merge(local.tags, { Name = "${local.name}-secret" })
}

resource "aws_iam_role_policy_attachment" "manager_secret" {
  role       = var.swarm_manager_role_name
  policy_arn = aws_iam_policy.secret.arn
}

# Two secrets of one password: plain for people (`--reveal`), hashed for the registry. Both are written in the same
# apply, from the same ephemeral value; neither is in a plan or a state.

resource "aws_secretsmanager_secret" "password" {
  name_prefix             = "${local.name}-password-"
  description             = "Password of ${var.username} at ${local.host}"
  kms_key_id              = local.kms_key_arn
  recovery_window_in_days = var.secret_recovery_days
  tags                    = merge(local.tags, { Name = "${local.name}-password" })
}

resource "aws_secretsmanager_secret_version" "password" {
  secret_id                = aws_secretsmanager_secret.password.id
  secret_string_wo         = var.registry_password
  secret_string_wo_version = var.secret_version
}

resource "aws_secretsmanager_secret" "runtime" {
  name_prefix             = "${local.name}-runtime-"
  description             = "What the registry at ${local.host} reads, and the cluster's login to it"
  kms_key_id              = local.kms_key_arn
  recovery_window_in_days = var.secret_recovery_days
  tags                    = merge(local.tags, { Name = "${local.name}-runtime" })
}

resource "aws_secretsmanager_secret_version" "runtime" {
  secret_id = aws_secretsmanager_secret.runtime.id
  secret_string_wo = jsonencode({
    htpasswd    = "${var.username}:${bcrypt(var.registry_password)}\n"
    http_secret = var.registry_http_secret
    login       = "${var.username}:${var.registry_password}"
  })
  secret_string_wo_version = var.secret_version

  # The hash follows the password.
  lifecycle {
    replace_triggered_by = [aws_secretsmanager_secret_version.password]
  }
}

# What the cluster's leader finds and deploys. The first file names the secrets of the second.

resource "aws_s3_object" "secrets" {
  bucket       = var.swarm_stack_bucket
  key          = "${local.stack_directory}secrets.json"
  content_type = "application/json"
  content = jsonencode([for field in ["htpasswd", "http_secret"] : {
    name       = field
    secret_arn = aws_secretsmanager_secret.runtime.arn
    field      = field
    version    = var.secret_version # a new one changes the file, and so the stack is deployed again
  }])
  tags = merge(local.own_tags, { Name = "secrets" }) # an object may have ten tags

  depends_on = [aws_secretsmanager_secret_version.runtime, aws_iam_role_policy_attachment.manager_secret]
}

resource "aws_s3_object" "roles" {
  bucket       = var.swarm_stack_bucket
  key          = "${local.stack_directory}roles.json"
  content_type = "application/json"
  content      = jsonencode([{ name = "storage", role_arn = aws_iam_role.storage.arn }])
  tags         = merge(local.own_tags, { Name = "roles" }) # an object may have ten tags

  depends_on = [aws_iam_role_policy.storage, aws_iam_role_policy_attachment.manager_secret]
}

# The cluster's own login: stacks pull from this registry by it.
resource "aws_s3_object" "logins" {
  bucket       = var.swarm_stack_bucket
  key          = "${local.stack_directory}logins.json"
  content_type = "application/json"
  content = jsonencode([{
    host       = local.host
    secret_arn = aws_secretsmanager_secret.runtime.arn
    field      = "login"
    version    = var.secret_version # a new one changes the file, and so services get the new login
  }])
  tags = merge(local.own_tags, { Name = "logins" }) # an object may have ten tags

  depends_on = [aws_secretsmanager_secret_version.runtime, aws_iam_role_policy_attachment.manager_secret]
}

resource "aws_s3_object" "stack" {
  bucket       = var.swarm_stack_bucket
  key          = "${local.stack_directory}stack.yml"
  content_type = "application/yaml"
  content = templatefile("${path.module}/files/registry.yml.tftpl", {
    stack          = local.unit
    image          = local.images["image"]
    replicas       = var.replicas
    network        = var.swarm_network_name
    host           = local.host
    region         = var.region
    bucket         = aws_s3_bucket.images.id
    kms_key_arn    = local.kms_key_arn
    root_directory = var.root_directory
    allow_delete   = var.allow_delete
    redirect       = var.redirect_to_bucket
    gc             = local.gc
    script         = file("${path.module}/files/serve.sh")
  })
  tags = merge(local.own_tags, { Name = "stack" }) # an object may have ten tags

  # The stack comes when all that it needs is there, and goes before any of that does.
  depends_on = [
    aws_s3_object.secrets,
    aws_s3_object.roles,
    aws_s3_object.logins,
    aws_s3_bucket_policy.images,
    aws_s3_bucket_server_side_encryption_configuration.images,
  ]
}

resource "aws_route53_record" "registry" {
  zone_id = data.aws_route53_zone.platform.zone_id
  name    = local.host
  type    = "A"

  alias {
    name                   = var.swarm_lb_dns_name
    zone_id                = var.swarm_lb_zone_id
    evaluate_target_health = true
  }
}
