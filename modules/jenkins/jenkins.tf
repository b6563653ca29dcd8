terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 6"
    }
  }
}

data "aws_partition" "current" {}

data "aws_route53_zone" "platform" {
  name         = var.domain_name
  private_zone = false
}

locals {
  unit         = var.unit != "" ? var.unit : "jenkins"
  name         = "${var.pre_tag}-${local.unit}-${var.post_tag}"
  host         = "${var.hostname != "" ? var.hostname : lower("jenkins-${var.pre_tag}")}.${var.swarm_domain}"
  kms_key_arn  = var.kms_key_arn != "" ? var.kms_key_arn : var.swarm_kms_key_arn
  boundary_arn = var.permissions_boundary_arn != "" ? var.permissions_boundary_arn : null
  is_routed    = length(var.client_cidrs) > 0
  archives     = concat(var.restore_jenkins == 1 ? [var.restore_key] : [], var.restore_jobs == 1 ? [var.restore_jobs_key] : [])
  restores     = length(local.archives) > 0 ? 1 : 0

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
  scripts = merge(
    { start = file("${path.module}/files/start.sh") },
    local.restores == 1 ? { fetch = file("${path.module}/files/fetch.sh") } : {},
  )

  # What both scripts read.
  environment = {
    JENKINS_HOME     = "/var/jenkins_home"
    RESTORE_JENKINS  = tostring(var.restore_jenkins)
    RESTORE_JOBS     = tostring(var.restore_jobs)
    RESTORE_BUCKET   = var.restore_bucket
    RESTORE_KEY      = var.restore_key
    RESTORE_JOBS_KEY = var.restore_jobs_key
    RESTORE_VERSION  = tostring(var.restore_version)
    RESTORE_EXCLUDES = join("\n", var.restore_excludes)
    RESTORE_LIMIT_S  = tostring(var.restore_limit_minutes * 60)
    FETCH_LIMIT_S    = tostring(var.restore_limit_minutes * 60)
  }

  # Docker Hub counts anonymous pulls by address, and the cluster has one.
  images = { for name, image in { image = var.image, fetch_image = var.fetch_image } : name => var.swarm_image_cache != "" && !can(regex("^[^/]+[.:][^/]*/", image)) ? "${var.swarm_image_cache}/${strcontains(image, "/") ? "" : "library/"}${image}" : image }
}

# The home, which every node can mount.

resource "aws_efs_file_system" "home" {
  encrypted       = true
  kms_key_id      = local.kms_key_arn
  throughput_mode = "elastic"
  tags            = merge(local.tags, { Name = "${local.name}-home" })
}

resource "aws_security_group" "home" {
  name_prefix = "${local.name}-home-"
  description = "Home of Jenkins"
  vpc_id      = var.vpc_id
  tags        = merge(local.tags, { Name = "${local.name}-home" })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "home" {
  security_group_id            = aws_security_group.home.id
  description                  = "NFS from the nodes of the cluster"
  referenced_security_group_id = var.swarm_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 2049
  to_port                      = 2049
  tags                         = merge(local.tags, { Name = "nfs" })
}

resource "aws_efs_mount_target" "home" {
  count = length(var.private_subnet_ids)

  file_system_id  = aws_efs_file_system.home.id
  subnet_id       = var.private_subnet_ids[count.index]
  security_groups = [aws_security_group.home.id]
}

# Its backups: AWS's own every day where no vault is named.

resource "aws_efs_backup_policy" "home" {
  file_system_id = aws_efs_file_system.home.id

  backup_policy {
    status = var.backup_vault == "" ? "ENABLED" : "DISABLED"
  }
}

locals {
  backups = var.backup_vault != "" ? 1 : 0
  # Plans and selections take 50 characters.
  backup_name = length(local.name) <= 45 ? "${local.name}-home" : "${substr(local.name, 0, 36)}-${substr(sha1(local.name), 0, 8)}-home"
}

data "aws_iam_policy_document" "assume_backup" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["backup.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "backup" {
  count = local.backups

  name                 = "${local.name}-backup"
  assume_role_policy   = data.aws_iam_policy_document.assume_backup.json
  permissions_boundary = local.boundary_arn
  tags                 = merge(local.tags, { Name = "${local.name}-backup" })
}

resource "aws_iam_role_policy_attachment" "backup" {
  count = local.backups

  role       = aws_iam_role.backup[0].name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
}

resource "aws_backup_plan" "home" {
  count = local.backups

  name = local.backup_name
  tags = merge(local.tags, { Name = "${local.name}-home" })

  rule {
    rule_name         = "daily"
    target_vault_name = var.backup_vault
    schedule          = "cron(0 3 * * ? *)"

    lifecycle {
      delete_after = var.backup_days
    }
  }
}

resource "aws_backup_selection" "home" {
  count = local.backups

  name         = local.backup_name
  plan_id      = aws_backup_plan.home[0].id
  iam_role_arn = aws_iam_role.backup[0].arn
  resources    = [aws_efs_file_system.home.arn]
}

# Who may read the archives: the nodes that it can run on.

data "aws_iam_policy_document" "restore" {
  statement {
    sid       = "ReadTheArchives"
    actions   = ["s3:GetObject"]
    resources = [for key in local.archives : "arn:${data.aws_partition.current.partition}:s3:::${var.restore_bucket}/${key}"]
  }

  dynamic "statement" {
    for_each = compact([var.restore_kms_key_arn])

    content {
      sid       = "DecryptTheArchives"
      actions   = ["kms:Decrypt"]
      resources = [statement.value]

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["s3.${var.region}.amazonaws.com"]
      }
    }
  }
}

resource "aws_iam_policy" "restore" {
  count = local.restores

  name        = "${local.name}-restore"
  description = "Archives that ${local.unit} is restored from"
  policy      = data.aws_iam_policy_document.restore.json
  tags        = merge(local.tags, { Name = "${local.name}-restore" })
}

resource "aws_iam_role_policy_attachment" "manager_restore" {
  count = var.placement == "worker" ? 0 : local.restores

  role       = var.swarm_manager_role_name
  policy_arn = aws_iam_policy.restore[0].arn
}

resource "aws_iam_role_policy_attachment" "worker_restore" {
  count = var.placement == "manager" ? 0 : local.restores

  role       = var.swarm_worker_role_name
  policy_arn = aws_iam_policy.restore[0].arn
}

# What the cluster's leader finds and deploys.

resource "aws_s3_object" "script" {
  for_each = local.scripts

  bucket       = var.swarm_stack_bucket
  key          = "${local.stack_directory}${each.key}.sh"
  content_type = "text/x-shellscript"
  content      = each.value
  tags         = merge(local.own_tags, { Name = each.key }) # an object may have ten tags
}

resource "aws_s3_object" "stack" {
  bucket       = var.swarm_stack_bucket
  key          = "${local.stack_directory}stack.yml"
  content_type = "application/yaml"
  content = templatefile("${path.module}/files/jenkins.yml.tftpl", {
    stack          = local.unit
    image          = local.images["image"]
    fetch_image    = local.images["fetch_image"]
    environment    = local.environment
    java_opts      = var.java_opts
    scripts        = local.scripts
    restores       = local.restores == 1
    network        = var.swarm_network_name
    published_port = var.published_port
    client_cidrs   = var.client_cidrs
    constraints    = var.placement == "any" ? [] : ["node.role == ${var.placement}"]
    memory         = var.memory
    host           = local.host
    file_system    = aws_efs_file_system.home.id
    file_server    = aws_efs_file_system.home.dns_name
    start_minutes  = 10 + local.restores * var.restore_limit_minutes
  })
  tags = merge(local.own_tags, { Name = "stack" }) # an object may have ten tags

  # The stack comes when all that it needs is there, and goes before any of that does.
  depends_on = [
    aws_s3_object.script,
    aws_efs_mount_target.home,
    aws_vpc_security_group_ingress_rule.home,
    aws_iam_role_policy_attachment.manager_restore,
    aws_iam_role_policy_attachment.worker_restore,
  ]
}

resource "aws_route53_record" "jenkins" {
  count = local.is_routed ? 1 : 0

  zone_id = data.aws_route53_zone.platform.zone_id
  name    = local.host
  type    = "A"

  alias {
    name                   = var.swarm_lb_dns_name
    zone_id                = var.swarm_lb_zone_id
    evaluate_target_health = true
  }
}
