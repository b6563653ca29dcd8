terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 6"
    }
  }
}

locals {
  unit = var.unit != "" ? var.unit : "elasticache"
  name = "${var.pre_tag}-${local.unit}-${var.post_tag}"

  # ElastiCache takes 40 characters of lower case, no two dashes in a row, and a letter first; the engine is added to some.
  dashed   = trim(replace(lower(local.name), "/-+/", "-"), "-")
  lettered = can(regex("^[a-z]", local.dashed)) ? local.dashed : "c-${local.dashed}"
  group_id = length(local.lettered) <= 33 ? local.lettered : "${trim(substr(local.lettered, 0, 24), "-")}-${substr(sha1(local.lettered), 0, 8)}"

  tags = merge(var.tags, {
    Project     = var.project
    Environment = var.environment
    Cluster     = local.unit
    Service     = var.service
    Version     = var.version_tag
    "ngp:unit"  = local.unit
  })

  major         = split(".", var.engine_version)[0]
  is_redundant  = var.nodes > 1
  has_iam       = var.authentication == "iam"
  kms_key_arn   = var.kms_key_arn != "" ? var.kms_key_arn : null
  alarm_actions = compact([var.alarm_topic_arn])

  # The family is part of the name: another one needs a group of its own before the change.
  parameter_group = length(var.parameters) > 0 ? "${local.group_id}-${var.engine}${local.major}" : "default.${var.engine}${local.major}"

  # A user's id is its name, and one of a kind in the account's region.
  user_ids = { for name in local.has_iam ? keys(var.users) : [] : name => (
    length("${local.lettered}-${name}") <= 40 ? "${local.lettered}-${name}" :
    "${trim(substr(local.lettered, 0, 10), "-")}-${substr(sha1(local.lettered), 0, 8)}-${name}"
  ) }
}

# Who may connect.

resource "aws_security_group" "this" {
  name_prefix = "${local.name}-"
  description = "Cache ${local.group_id}"
  vpc_id      = var.vpc_id
  tags        = merge(local.tags, { Name = local.name })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "group" {
  count = length(var.client_security_group_ids)

  security_group_id            = aws_security_group.this.id
  description                  = "Cache from a group"
  referenced_security_group_id = var.client_security_group_ids[count.index]
  ip_protocol                  = "tcp"
  from_port                    = var.port
  to_port                      = var.port
  tags                         = merge(local.tags, { Name = "${local.name}-client" })
}

resource "aws_vpc_security_group_ingress_rule" "vpc" {
  count = length(var.client_security_group_ids) == 0 && length(var.client_cidrs) == 0 ? 1 : 0

  security_group_id = aws_security_group.this.id
  description       = "Cache from the VPC"
  cidr_ipv4         = var.vpc_cidr
  ip_protocol       = "tcp"
  from_port         = var.port
  to_port           = var.port
  tags              = merge(local.tags, { Name = "${local.name}-client" })
}

resource "aws_vpc_security_group_ingress_rule" "network" {
  for_each = var.client_cidrs

  security_group_id = aws_security_group.this.id
  description       = "Cache from a network"
  cidr_ipv4         = each.key
  ip_protocol       = "tcp"
  from_port         = var.port
  to_port           = var.port
  tags              = merge(local.tags, { Name = "${local.name}-client" })
}

# Who may log in: users without a password, whose token their IAM role signs. Nothing of it is a secret to be kept.

resource "aws_elasticache_user" "this" {
  for_each = local.user_ids

  user_id       = each.value
  user_name     = each.value # IAM asks for the same
  engine        = var.engine
  access_string = var.users[each.key]
  tags          = merge(local.tags, { Name = each.value })

  authentication_mode {
    type = "iam"
  }

  # The cache lets go of them first.
  lifecycle {
    create_before_destroy = true
  }
}

# Redis wants a user called default in every group: this one may do nothing. A group of Valkey takes none without a login.
resource "aws_elasticache_user" "default" {
  count = local.has_iam && var.engine == "redis" ? 1 : 0

  user_id       = "${trim(substr(local.lettered, 0, 10), "-")}-${substr(sha1(local.lettered), 0, 8)}-default-user"
  user_name     = "default"
  engine        = var.engine
  access_string = "off ~* -@all"
  tags          = merge(local.tags, { Name = "${local.name}-default" })

  authentication_mode {
    type = "no-password-required"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_elasticache_user_group" "this" {
  count = local.has_iam ? 1 : 0

  user_group_id = "${local.group_id}-${var.engine}" # another engine needs another group
  engine        = var.engine
  user_ids      = concat([for user in aws_elasticache_user.this : user.user_id], aws_elasticache_user.default[*].user_id)
  tags          = merge(local.tags, { Name = local.name })

  lifecycle {
    create_before_destroy = true
  }
}

# For the roles of those who log in.
data "aws_iam_policy_document" "connect" {
  statement {
    sid       = "LogInToTheCache"
    actions   = ["elasticache:Connect"]
    resources = concat([aws_elasticache_replication_group.this.arn], [for user in aws_elasticache_user.this : user.arn])
  }
}

resource "aws_iam_policy" "connect" {
  count = local.has_iam ? 1 : 0

  name        = "${local.name}-connect"
  description = "Log in to the cache ${local.group_id}"
  policy      = data.aws_iam_policy_document.connect.json
  tags        = merge(local.tags, { Name = "${local.name}-connect" })
}

# The cache.

resource "aws_elasticache_subnet_group" "this" {
  name        = local.group_id
  description = "Private subnets of ${local.group_id}"
  subnet_ids  = var.private_subnet_ids
  tags        = merge(local.tags, { Name = local.name })
}

resource "aws_elasticache_parameter_group" "this" {
  count = length(var.parameters) > 0 ? 1 : 0

  name        = local.parameter_group
  description = "Parameters of ${local.group_id}"
  family      = "${var.engine}${local.major}"
  tags        = merge(local.tags, { Name = local.name })

  dynamic "parameter" {
    for_each = var.parameters

    content {
      name  = parameter.key
      value = parameter.value
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = toset(["engine-log", "slow-log"])

  name              = "/aws/elasticache/${local.group_id}/${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = local.kms_key_arn
  tags              = merge(local.tags, { Name = "${local.name}-${each.key}" })
}

# The id is new with every cache that is made here: two last snapshots must not have one name. Everything that replaces
# the cache stands here.
resource "terraform_data" "life" {
  triggers_replace = [var.generation, var.kms_key_arn, var.port]
}

# The parameter group that the cache has: remembered until a change that is made at once.
resource "terraform_data" "parameter_group" {
  input            = local.parameter_group
  triggers_replace = var.apply_immediately ? local.parameter_group : "in the window"

  lifecycle {
    ignore_changes = [input]
  }
}

resource "aws_elasticache_replication_group" "this" {
  replication_group_id       = local.group_id
  description                = "Cache ${local.name}"
  engine                     = var.engine
  engine_version             = var.engine_version
  node_type                  = var.node_type
  num_cache_clusters         = var.nodes
  automatic_failover_enabled = local.is_redundant
  multi_az_enabled           = local.is_redundant
  parameter_group_name       = length(var.parameters) > 0 ? aws_elasticache_parameter_group.this[0].name : local.parameter_group
  auto_minor_version_upgrade = false # the provider would replace a cache whose version AWS has raised
  apply_immediately          = var.apply_immediately
  maintenance_window         = var.maintenance_window

  subnet_group_name  = aws_elasticache_subnet_group.this.name
  security_group_ids = [aws_security_group.this.id]
  port               = var.port

  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  at_rest_encryption_enabled = true
  kms_key_id                 = local.kms_key_arn
  user_group_ids             = local.has_iam ? [aws_elasticache_user_group.this[0].user_group_id] : null

  snapshot_name             = var.snapshot_name != "" ? var.snapshot_name : null
  snapshot_window           = var.snapshot_window
  snapshot_retention_limit  = var.snapshot_retention_days
  final_snapshot_identifier = var.skip_final_snapshot ? null : "${local.group_id}-final-${substr(terraform_data.life.id, 0, 8)}"

  dynamic "log_delivery_configuration" {
    for_each = aws_cloudwatch_log_group.this

    content {
      destination      = log_delivery_configuration.value.name
      destination_type = "cloudwatch-logs"
      log_format       = "json"
      log_type         = log_delivery_configuration.key
    }
  }

  tags = merge(local.tags, { Name = local.name })

  lifecycle {
    replace_triggered_by = [terraform_data.life]
    # A snapshot is what it was made from: another one alone must not replace it (generation does).
    ignore_changes = [snapshot_name]

    precondition {
      condition     = startswith(terraform_data.parameter_group.input, "default.") || terraform_data.parameter_group.input == local.parameter_group
      error_message = "another engine, major engine_version or no parameters any more needs apply_immediately = true: until the maintenance window the old parameter group would be in use, and AWS refuses to delete it."
    }
  }
}

# When it tells: for each node, by the name that AWS gave it. It gives group-001, group-002 and so on, but where nodes were
# removed any of them may be the ones that are left.

locals {
  members = sort(tolist(aws_elasticache_replication_group.this.member_clusters))
  nodes   = [for index in range(var.nodes) : try(local.members[index], format("%s-%03d", local.group_id, index + 1))]
  metrics = merge(
    {
      cpu    = { metric = "EngineCPUUtilization", statistic = "Average", threshold = var.alarm_cpu_percent, what = "The engine's CPU is busy." }
      host   = { metric = "CPUUtilization", statistic = "Average", threshold = 90, what = "The node is busy: snapshots, TLS and the engine share its CPUs." }
      memory = { metric = "DatabaseMemoryUsagePercentage", statistic = "Average", threshold = var.alarm_memory_percent, what = "The memory is nearly full." }
    },
    var.alarm_lag_s == 0 || !local.is_redundant ? {} : {
      lag = { metric = "ReplicationLag", statistic = "Maximum", threshold = var.alarm_lag_s, what = "The copy is behind the primary: what it has not got is lost in a failover." }
    },
    var.alarm_evictions == 0 ? {} : {
      evictions = { metric = "Evictions", statistic = "Sum", threshold = var.alarm_evictions, what = "Keys are evicted for want of memory." }
    },
  )
  alarms = { for pair in setproduct(range(var.nodes), keys(local.metrics)) : "${format("%03d", pair[0] + 1)}-${pair[1]}" => {
    at = pair[0], about = local.metrics[pair[1]]
  } }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${local.name}-${each.key}"
  alarm_description   = "Cache node ${local.nodes[each.value.at]}: ${each.value.about.what}"
  namespace           = "AWS/ElastiCache"
  metric_name         = each.value.about.metric
  dimensions          = { CacheClusterId = local.nodes[each.value.at] }
  statistic           = each.value.about.statistic
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.about.threshold
  period              = 300
  evaluation_periods  = 3
  treat_missing_data  = each.value.about.metric == "ReplicationLag" ? "notBreaching" : "missing" # the primary has none
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
  tags                = merge(local.tags, { Name = "${local.name}-${each.key}" })
}

# A node reports every minute while it runs: silence means that it does not.
resource "aws_cloudwatch_metric_alarm" "down" {
  count = var.nodes

  alarm_name          = "${local.name}-${format("%03d", count.index + 1)}-down"
  alarm_description   = "Cache node ${local.nodes[count.index]} reports nothing: it is down."
  namespace           = "AWS/ElastiCache"
  metric_name         = "CPUUtilization"
  dimensions          = { CacheClusterId = local.nodes[count.index] }
  statistic           = "SampleCount"
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  period              = 60
  evaluation_periods  = 10
  treat_missing_data  = "breaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
  tags                = merge(local.tags, { Name = "${local.name}-${format("%03d", count.index + 1)}-down" })
}
