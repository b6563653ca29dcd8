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

locals {
  unit = var.unit != "" ? var.unit : "rds-postgres"
  name = "${var.pre_tag}-${local.unit}-${var.post_tag}"

  # RDS takes lower case, no two dashes in a row, and a letter first.
  dashed     = trim(replace(lower(local.name), "/-+/", "-"), "-")
  identifier = can(regex("^[a-z]", local.dashed)) ? local.dashed : "db-${local.dashed}"

  tags = merge(var.tags, {
    Project     = var.project
    Environment = var.environment
    Cluster     = local.unit
    Service     = var.service
    Version     = var.version_tag
    "ngp:unit"  = local.unit
  })

  major         = split(".", var.engine_version)[0]
  is_minor_kept = strcontains(var.engine_version, ".")
  is_striped    = var.storage_gib >= 400 # from this size on, RDS asks for the figures of gp3
  is_restored   = terraform_data.life.input != ""
  kms_key_arn   = var.kms_key_arn != "" ? var.kms_key_arn : null
  alarm_actions = compact([var.alarm_topic_arn])

  parameters = merge(var.parameters, {
    "rds.force_ssl"              = { value = "1", at_reboot = false }
    "log_connections"            = { value = "1", at_reboot = false }
    "log_disconnections"         = { value = "1", at_reboot = false }
    "log_lock_waits"             = { value = "1", at_reboot = false }
    "log_temp_files"             = { value = "10240", at_reboot = false } # KiB
    "log_min_duration_statement" = { value = tostring(var.slow_query_ms), at_reboot = false }
    # A statement's text may hold a password (CREATE ROLE … PASSWORD).
    "log_statement" = { value = "none", at_reboot = false }
  })
}

# Who may connect.

resource "aws_security_group" "this" {
  name_prefix = "${local.name}-"
  description = "PostgreSQL ${local.identifier}"
  vpc_id      = var.vpc_id
  tags        = merge(local.tags, { Name = local.name })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "group" {
  count = length(var.client_security_group_ids)

  security_group_id            = aws_security_group.this.id
  description                  = "PostgreSQL from a group"
  referenced_security_group_id = var.client_security_group_ids[count.index]
  ip_protocol                  = "tcp"
  from_port                    = var.port
  to_port                      = var.port
  tags                         = merge(local.tags, { Name = "${local.name}-client" })
}

resource "aws_vpc_security_group_ingress_rule" "vpc" {
  count = length(var.client_security_group_ids) == 0 && length(var.client_cidrs) == 0 ? 1 : 0

  security_group_id = aws_security_group.this.id
  description       = "PostgreSQL from the VPC"
  cidr_ipv4         = var.vpc_cidr
  ip_protocol       = "tcp"
  from_port         = var.port
  to_port           = var.port
  tags              = merge(local.tags, { Name = "${local.name}-client" })
}

resource "aws_vpc_security_group_ingress_rule" "network" {
  for_each = var.client_cidrs

  security_group_id = aws_security_group.this.id
  description       = "PostgreSQL from a network"
  cidr_ipv4         = each.key
  ip_protocol       = "tcp"
  from_port         = var.port
  to_port           = var.port
  tags              = merge(local.tags, { Name = "${local.name}-client" })
}

# The database. There is no egress rule: it opens no connections of its own.

resource "aws_db_subnet_group" "this" {
  name        = local.identifier
  description = "Private subnets of ${local.identifier}"
  subnet_ids  = var.private_subnet_ids
  tags        = merge(local.tags, { Name = local.name })
}

resource "aws_db_parameter_group" "this" {
  name_prefix = "${local.identifier}-"
  description = "Parameters of ${local.identifier}"
  family      = "postgres${local.major}"
  tags        = merge(local.tags, { Name = local.name })

  dynamic "parameter" {
    for_each = local.parameters

    content {
      name         = parameter.key
      value        = parameter.value.value
      apply_method = parameter.value.at_reboot ? "pending-reboot" : "immediate"
    }
  }

  # A major version has a group of its own, which must be there before the upgrade.
  lifecycle {
    create_before_destroy = true
  }
}

# RDS would make them itself, without an end.
resource "aws_cloudwatch_log_group" "this" {
  for_each = toset(["postgresql", "upgrade"])

  name              = "/aws/rds/instance/${local.identifier}/${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = local.kms_key_arn
  tags              = merge(local.tags, { Name = "${local.name}-${each.key}" })
}

# The id is new with every database that is made here: two last snapshots must not have one name. Everything that
# replaces the database stands here. The input keeps the snapshot that this database was made from: a restored database
# has the snapshot's names for ever, also after snapshot_identifier is emptied.
resource "terraform_data" "life" {
  input            = var.snapshot_identifier
  triggers_replace = [var.generation, var.kms_key_arn, var.database_name, var.username]

  lifecycle {
    ignore_changes = [input]
  }
}

resource "aws_db_instance" "this" {
  identifier                  = local.identifier
  engine                      = "postgres"
  engine_version              = var.engine_version
  engine_lifecycle_support    = var.extended_support ? "open-source-rds-extended-support" : "open-source-rds-extended-support-disabled"
  allow_major_version_upgrade = var.allow_major_version_upgrade
  auto_minor_version_upgrade  = var.auto_minor_version_upgrade && !local.is_minor_kept # else the next plan would go back
  instance_class              = var.instance_class
  multi_az                    = var.multi_az
  apply_immediately           = var.apply_immediately
  maintenance_window          = var.maintenance_window

  db_name                             = local.is_restored ? null : var.database_name
  username                            = local.is_restored ? null : var.username
  password_wo                         = var.master_password
  password_wo_version                 = var.password_version
  iam_database_authentication_enabled = var.iam_authentication
  parameter_group_name                = aws_db_parameter_group.this.name

  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [aws_security_group.this.id]
  port                   = var.port
  publicly_accessible    = false

  storage_type          = "gp3"
  allocated_storage     = var.storage_gib
  max_allocated_storage = var.max_storage_gib
  iops                  = local.is_striped ? 12000 : null
  storage_throughput    = local.is_striped ? 500 : null
  storage_encrypted     = true
  kms_key_id            = local.kms_key_arn

  enabled_cloudwatch_logs_exports       = sort(keys(aws_cloudwatch_log_group.this))
  database_insights_mode                = var.performance_insights_days > 7 ? "advanced" : "standard"
  performance_insights_enabled          = var.performance_insights_days > 0
  performance_insights_retention_period = var.performance_insights_days > 0 ? var.performance_insights_days : null
  performance_insights_kms_key_id       = var.performance_insights_days > 0 ? local.kms_key_arn : null

  snapshot_identifier       = local.is_restored ? var.snapshot_identifier : null
  backup_window             = var.backup_window
  backup_retention_period   = var.backup_retention_days
  copy_tags_to_snapshot     = true
  deletion_protection       = var.deletion_protection
  skip_final_snapshot       = var.skip_final_snapshot
  final_snapshot_identifier = "${local.identifier}-final-${substr(terraform_data.life.id, 0, 8)}"

  tags = merge(local.tags, { Name = local.name })

  lifecycle {
    replace_triggered_by = [terraform_data.life]
    # A snapshot is what it was made from: another one alone must not replace it (generation does). RDS takes the kind of
    # support when it makes the database, and never again.
    ignore_changes = [snapshot_identifier, engine_lifecycle_support]

    # Compared with what the database reports: AWS upgrades it by itself at the end of its version's support.
    postcondition {
      condition     = var.allow_major_version_upgrade || try(split(".", self.engine_version_actual)[0], local.major) == local.major
      error_message = "engine_version is ${var.engine_version}, and the database has ${self.engine_version_actual}. To upgrade it, set allow_major_version_upgrade = true and apply_immediately = true. Where AWS has upgraded it, write its version in engine_version: it never goes back. To restore a snapshot of another version, raise generation in the same apply."
    }
  }
}

# The password lies here only; neither plan nor state holds it. It is written after the database has it, and again when
# the database is made anew.

resource "aws_secretsmanager_secret" "password" {
  name_prefix             = "${local.name}-password-"
  description             = "Password of the master user of ${local.identifier}"
  kms_key_id              = local.kms_key_arn
  recovery_window_in_days = var.secret_recovery_days
  tags                    = merge(local.tags, { Name = "${local.name}-password" })
}

resource "aws_secretsmanager_secret_version" "password" {
  secret_id                = aws_secretsmanager_secret.password.id
  secret_string_wo         = var.master_password
  secret_string_wo_version = var.password_version

  depends_on = [aws_db_instance.this]

  lifecycle {
    replace_triggered_by = [aws_db_instance.this.id]
  }
}

# When it tells.

locals {
  # The memory of the class: `large` has two vCPUs and 2xlarge eight, and the family says how many GiB go with each.
  family = split(".", var.instance_class)[1]
  size   = split(".", var.instance_class)[2]
  vcpus  = try({ large = 2, xlarge = 4 }[local.size], 4 * tonumber(trimsuffix(local.size, "xlarge")), null)
  gib_per_vcpu = one([
    for pattern, gib in { "^(t[2-4]|m[4-9])" = 4, "^(r[5-9]|z1)" = 8, "^x(2g|2idn|8g)" = 16, "^x2ie" = 32 } : gib
    if can(regex(pattern, local.family))
  ])
  memory_gib = try({ micro = 1, small = 2, medium = 4 }[startswith(local.family, "t") ? local.size : ""], local.vcpus * local.gib_per_vcpu, null)

  # The connections that the database allows: a number, or a formula over the memory, of which RDS keeps a part for itself.
  max_connections = try(var.parameters["max_connections"].value, "LEAST({DBInstanceClassMemory/9531392},5000)")
  of_memory       = try(regex("(?i)^(?:LEAST\\()?\\{DBInstanceClassMemory/([0-9]+)\\}(?:, *([0-9]+)\\))?$", local.max_connections), null)
  allowed_connections = { for bound, share in { least = 0.75, most = 1 } : bound => try(
    tonumber(local.max_connections),
    min(floor(local.memory_gib * share * 1073741824 / local.of_memory[0]), coalesce(local.of_memory[1], 262143)),
    null,
  ) }
  # PostgreSQL and RDS reserve six for themselves at most.
  alarm_connections = var.alarm_connections != null ? var.alarm_connections : try(max(1, floor(min(local.allowed_connections.least * 0.9, local.allowed_connections.least - 6))), 150)

  alarms = {
    cpu          = { metric = "CPUUtilization", above = true, threshold = var.alarm_cpu_percent, what = "The CPU is busy." }
    free-storage = { metric = "FreeStorageSpace", above = false, threshold = var.alarm_free_storage_gib * 1073741824, what = "The storage is nearly full." }
    free-memory  = { metric = "FreeableMemory", above = false, threshold = var.alarm_free_memory_mib * 1048576, what = "The memory is nearly full." }
    connections  = { metric = "DatabaseConnections", above = true, threshold = local.alarm_connections, what = "There are many connections." }
    # At two thousand millions PostgreSQL stops taking writes; a vacuum that works keeps it at 200 millions.
    transactions = { metric = "MaximumUsedTransactionIDs", above = true, threshold = 1000000000, what = "Vacuum does not keep up: transaction ids run out." }
  }
}

check "connections" {
  assert {
    condition     = try(local.alarm_connections < local.allowed_connections.most, true)
    error_message = "alarm_connections is ${local.alarm_connections}, and the database allows at most ${coalesce(local.allowed_connections.most, 0)} connections: the alarm would never be raised. Leave it out, and it follows the class and max_connections."
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${local.name}-${each.key}"
  alarm_description   = "Database ${local.identifier}: ${each.value.what}"
  namespace           = "AWS/RDS"
  metric_name         = each.value.metric
  dimensions          = { DBInstanceIdentifier = aws_db_instance.this.identifier }
  statistic           = "Average"
  comparison_operator = each.value.above ? "GreaterThanThreshold" : "LessThanThreshold"
  threshold           = each.value.threshold
  period              = 300
  evaluation_periods  = 3
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
  tags                = merge(local.tags, { Name = "${local.name}-${each.key}" })
}

# RDS reports every minute while the database runs: silence means that it does not.
resource "aws_cloudwatch_metric_alarm" "down" {
  alarm_name          = "${local.name}-down"
  alarm_description   = "Database ${local.identifier}: RDS reports nothing, so the database is down or stopped."
  namespace           = "AWS/RDS"
  metric_name         = "CPUUtilization"
  dimensions          = { DBInstanceIdentifier = aws_db_instance.this.identifier }
  statistic           = "SampleCount"
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  period              = 60
  evaluation_periods  = 10
  treat_missing_data  = "breaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
  tags                = merge(local.tags, { Name = "${local.name}-down" })
}

# What RDS tells once: that the standby took over, that the database failed or was restarted, that its storage is full.
# The topic's policy must let EventBridge publish. Without a topic the rule is off: whether there is one may be known after
# the network's apply only, so nothing is counted by it.

locals {
  no_topic_arn = join(":", concat(slice(split(":", replace(aws_db_instance.this.arn, ":rds:", ":sns:")), 0, 5), ["no-topic"]))
  topic_arn    = var.alarm_topic_arn != "" ? var.alarm_topic_arn : local.no_topic_arn
}

resource "aws_cloudwatch_event_rule" "this" {
  count = var.notify_events ? 1 : 0

  name        = "${local.name}-events"
  description = "The database ${local.identifier} fails, fails over, restarts, or is full"
  state       = var.alarm_topic_arn != "" ? "ENABLED" : "DISABLED"
  tags        = merge(local.tags, { Name = "${local.name}-events" })

  event_pattern = jsonencode({
    source      = ["aws.rds"]
    detail-type = ["RDS DB Instance Event"]
    detail = {
      SourceIdentifier = [local.identifier]
      EventCategories  = ["availability", "failover", "failure", "low storage", "recovery"]
    }
  })
}

resource "aws_cloudwatch_event_target" "this" {
  count = var.notify_events ? 1 : 0

  rule      = aws_cloudwatch_event_rule.this[0].name
  target_id = "alarms"
  arn       = local.topic_arn
}

# A copy in the vault that failed: AWS Backup itself tells nobody.

resource "aws_cloudwatch_event_rule" "backup" {
  count = var.notify_events ? local.backup : 0

  name        = "${local.name}-backup"
  description = "A copy of the database ${local.identifier} in the vault failed"
  state       = var.alarm_topic_arn != "" ? "ENABLED" : "DISABLED"
  tags        = merge(local.tags, { Name = "${local.name}-backup" })

  event_pattern = jsonencode({
    source      = ["aws.backup"]
    detail-type = ["Backup Job State Change"]
    detail = {
      resourceArn = [aws_db_instance.this.arn]
      state       = ["ABORTED", "EXPIRED", "FAILED"]
    }
  })
}

resource "aws_cloudwatch_event_target" "backup" {
  count = var.notify_events ? local.backup : 0

  rule      = aws_cloudwatch_event_rule.backup[0].name
  target_id = "alarms"
  arn       = local.topic_arn
}

# Daily copies in a vault, which stay when the database goes.

locals {
  backup = var.backup_vault != "" ? 1 : 0
  # Plans and selections take 50 characters.
  backup_name = length(local.name) <= 50 ? local.name : "${substr(local.name, 0, 41)}-${substr(sha1(local.name), 0, 8)}"

  # AWS Backup must not begin in RDS' own windows, or in the hour before: it takes the first free hour from 7 on.
  rds_windows = [for window in [var.backup_window, replace(var.maintenance_window, "/[a-z]+:/", "")] : {
    from = tonumber(substr(window, 0, 2)) + 23 # the hour before
    to   = tonumber(substr(window, 6, 2)) - (substr(window, 9, 2) == "00" ? 1 : 0)
  }]
  rds_hours   = flatten([for window in local.rds_windows : [for more in range((window.to - window.from + 48) % 24 + 1) : (window.from + more) % 24]])
  backup_hour = try([for hour in concat(range(7, 24), range(7)) : hour if !contains(local.rds_hours, hour)][0], 7)
}

data "aws_iam_policy_document" "backup_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["backup.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "backup" {
  count = local.backup

  name                 = "${local.name}-backup"
  description          = "AWS Backup saves the database ${local.identifier}"
  assume_role_policy   = data.aws_iam_policy_document.backup_trust.json
  permissions_boundary = var.permissions_boundary_arn != "" ? var.permissions_boundary_arn : null
  tags                 = merge(local.tags, { Name = "${local.name}-backup" })
}

resource "aws_iam_role_policy_attachment" "backup" {
  count = local.backup

  role       = aws_iam_role.backup[0].name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
}

resource "aws_backup_plan" "this" {
  count = local.backup

  name = local.backup_name
  tags = merge(local.tags, { Name = local.name })

  rule {
    rule_name         = "daily"
    target_vault_name = var.backup_vault
    schedule          = "cron(0 ${local.backup_hour} * * ? *)"
    start_window      = 60 # minutes; AWS' own is eight hours, which may reach into RDS' windows

    lifecycle {
      delete_after = var.backup_vault_days
    }
  }
}

resource "aws_backup_selection" "this" {
  count = local.backup

  name         = local.backup_name
  plan_id      = aws_backup_plan.this[0].id
  iam_role_arn = aws_iam_role.backup[0].arn
  resources    = [aws_db_instance.this.arn]
}
