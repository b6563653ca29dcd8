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
  unit = var.unit != "" ? var.unit : "elk"
  name = "${var.pre_tag}-${local.unit}-${var.post_tag}"

  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  digest     = sha1("${var.project}/${var.environment}/${local.unit}/${local.account_id}/${var.region}")

  # A domain takes 28 characters of lower case and a letter first, a load balancer 32, a bucket no capitals.
  dashed      = trim(replace(local.name, "/-+/", "-"), "-")
  lettered    = can(regex("^[a-z]", lower(local.dashed))) ? lower(local.dashed) : "d-${lower(local.dashed)}"
  domain      = length(local.lettered) <= 28 ? local.lettered : "${trim(substr(local.lettered, 0, 19), "-")}-${substr(local.digest, 0, 8)}"
  lb_name     = length(local.dashed) <= 32 && !startswith(local.dashed, "internal-") ? local.dashed : "lb-${trim(substr(local.dashed, 0, 20), "-")}-${substr(local.digest, 0, 8)}"
  bucket_name = lower("${var.pre_tag}-${trim(substr(local.unit, 0, 16), "-")}-${var.post_tag}-${substr(local.digest, 0, 8)}")
  domain_arn  = "arn:${local.partition}:es:${var.region}:${local.account_id}:domain/${local.domain}"

  tags = merge(var.tags, {
    Project     = var.project
    Environment = var.environment
    Cluster     = local.unit
    Service     = var.service
    Version     = var.version_tag
    "ngp:unit"  = local.unit
  })

  kms_key_arn    = var.kms_key_arn != "" ? var.kms_key_arn : null
  boundary_arn   = var.permissions_boundary_arn != "" ? var.permissions_boundary_arn : null
  alarm_actions  = compact([var.alarm_topic_arn])
  has_collectors = var.collectors > 0 ? 1 : 0
  in_vpc         = var.public ? 0 : 1

  # What people and agents call them.
  dashboards_host = var.dashboards_hostname != "" ? "${var.dashboards_hostname}.${var.domain_name}" : ""
  collector_host  = "${var.collector_hostname}.${var.domain_name}"
  hosts           = compact([local.dashboards_host, local.has_collectors == 1 && var.collector_tls ? local.collector_host : ""])
  own_certificate = var.certificate_arn == "" && length(local.hosts) > 0 ? 1 : 0
  certificate_arn = var.certificate_arn != "" ? var.certificate_arn : one(aws_acm_certificate_validation.this[*].certificate_arn)
}

# The certificate of both names, where none is given.

resource "aws_acm_certificate" "this" {
  count = local.own_certificate

  domain_name               = local.hosts[0]
  subject_alternative_names = slice(local.hosts, 1, length(local.hosts))
  validation_method         = "DNS"
  tags                      = merge(local.tags, { Name = local.name })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "proof" {
  for_each = local.own_certificate == 1 ? toset(local.hosts) : toset([])

  zone_id         = data.aws_route53_zone.platform.zone_id
  name            = one([for proof in aws_acm_certificate.this[0].domain_validation_options : proof.resource_record_name if proof.domain_name == each.key])
  type            = one([for proof in aws_acm_certificate.this[0].domain_validation_options : proof.resource_record_type if proof.domain_name == each.key])
  records         = [one([for proof in aws_acm_certificate.this[0].domain_validation_options : proof.resource_record_value if proof.domain_name == each.key])]
  ttl             = 60
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "this" {
  count = local.own_certificate

  certificate_arn         = aws_acm_certificate.this[0].arn
  validation_record_fqdns = [for record in aws_route53_record.proof : record.fqdn]
}

# What the domain writes about itself.

locals {
  domain_logs = {
    application = "ES_APPLICATION_LOGS"
    index-slow  = "INDEX_SLOW_LOGS"
    search-slow = "SEARCH_SLOW_LOGS"
    audit       = "AUDIT_LOGS"
  }
}

resource "aws_cloudwatch_log_group" "domain" {
  for_each = local.domain_logs

  name              = "/aws/opensearch/${local.domain}/${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = local.kms_key_arn
  tags              = merge(local.tags, { Name = "${local.name}-${each.key}" })
}

data "aws_iam_policy_document" "domain_logs" {
  statement {
    sid       = "LogsOfTheDomain"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:PutLogEventsBatch"]
    resources = ["arn:${local.partition}:logs:${var.region}:${local.account_id}:log-group:/aws/opensearch/${local.domain}/*"]

    principals {
      type        = "Service"
      identifiers = ["es.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [local.domain_arn]
    }
  }
}

resource "aws_cloudwatch_log_resource_policy" "domain" {
  policy_name     = "${local.name}-opensearch"
  policy_document = data.aws_iam_policy_document.domain_logs.json
}

# The domain.

resource "aws_iam_service_linked_role" "opensearch" {
  count = var.create_service_linked_role ? 1 : 0

  aws_service_name = "opensearchservice.amazonaws.com"
  description      = "OpenSearch enters VPCs by it"
  tags             = merge(local.tags, { Name = local.name })
}

resource "aws_opensearch_domain" "this" {
  domain_name    = local.domain
  engine_version = var.engine_version
  tags           = merge(local.tags, { Name = local.name })

  cluster_config {
    instance_type            = var.node_type
    instance_count           = var.nodes
    zone_awareness_enabled   = var.zones > 1
    dedicated_master_enabled = var.dedicated_masters > 0
    dedicated_master_count   = var.dedicated_masters > 0 ? var.dedicated_masters : null
    dedicated_master_type    = var.dedicated_masters > 0 ? var.dedicated_master_type : null

    dynamic "zone_awareness_config" {
      for_each = var.zones > 1 ? [var.zones] : []

      content {
        availability_zone_count = zone_awareness_config.value
      }
    }
  }

  dynamic "vpc_options" {
    for_each = aws_security_group.domain

    content {
      subnet_ids         = slice(var.private_subnet_ids, 0, var.zones)
      security_group_ids = [vpc_options.value.id]
    }
  }

  ebs_options {
    ebs_enabled = true
    volume_type = "gp3"
    volume_size = var.volume_size
    # What comes with a disk of that size: less is refused, more costs.
    iops       = max(3000, 3 * var.volume_size)
    throughput = var.volume_size <= 170 ? 125 : 250 * ceil(var.volume_size / 3072)
  }

  encrypt_at_rest {
    enabled    = true
    kms_key_id = local.kms_key_arn
  }

  node_to_node_encryption {
    enabled = true
  }

  domain_endpoint_options {
    enforce_https                   = true
    tls_security_policy             = "Policy-Min-TLS-1-2-PFS-2023-10"
    custom_endpoint_enabled         = local.dashboards_host != ""
    custom_endpoint                 = local.dashboards_host != "" ? local.dashboards_host : null
    custom_endpoint_certificate_arn = local.dashboards_host != "" ? local.certificate_arn : null
  }

  # Everybody is a role of IAM, so there is no password that a state would hold.
  advanced_security_options {
    enabled                        = true
    anonymous_auth_enabled         = false
    internal_user_database_enabled = false

    master_user_options {
      master_user_arn = aws_iam_role.master.arn
    }
  }

  dynamic "log_publishing_options" {
    for_each = local.domain_logs

    content {
      log_type                 = log_publishing_options.value
      cloudwatch_log_group_arn = aws_cloudwatch_log_group.domain[log_publishing_options.key].arn
    }
  }

  off_peak_window_options {
    enabled = true

    off_peak_window {
      window_start_time {
        hours   = 2
        minutes = 0
      }
    }
  }

  software_update_options {
    auto_software_update_enabled = true
  }

  depends_on = [aws_cloudwatch_log_resource_policy.domain, aws_iam_service_linked_role.opensearch]
}

# Who may speak to it at all; what each may do there, the domain's own roles say (files/settle.py). In front of a login
# page no request is signed: then the door is open to whom the network lets in, and the domain asks who it is.
data "aws_iam_policy_document" "domain" {
  statement {
    sid       = "SpeakToTheDomain"
    actions   = ["es:ESHttpDelete", "es:ESHttpGet", "es:ESHttpHead", "es:ESHttpPatch", "es:ESHttpPost", "es:ESHttpPut"]
    resources = ["${local.domain_arn}/*"]

    principals {
      type        = "AWS"
      identifiers = var.saml != null ? ["*"] : concat([aws_iam_role.master.arn], aws_iam_role.collector[*].arn, var.writer_role_arns, var.reader_role_arns)
    }

    dynamic "condition" {
      for_each = var.public ? ["public"] : []

      content {
        test     = "IpAddress"
        variable = "aws:SourceIp"
        values   = concat(sort(var.allowed_cidrs), [for address in var.nat_public_ips : "${address}/32"])
      }
    }
  }
}

resource "aws_opensearch_domain_policy" "this" {
  domain_name     = aws_opensearch_domain.this.domain_name
  access_policies = data.aws_iam_policy_document.domain.json

  # A domain that was made anew has the old one's name, and none of this.
  lifecycle {
    replace_triggered_by = [aws_opensearch_domain.this.id]
  }
}

resource "aws_opensearch_domain_saml_options" "this" {
  count = var.saml != null ? 1 : 0

  domain_name = aws_opensearch_domain.this.domain_name

  saml_options {
    enabled                 = true
    master_backend_role     = var.saml.master_role != "" ? var.saml.master_role : null
    roles_key               = var.saml.roles_key != "" ? var.saml.roles_key : null
    session_timeout_minutes = var.saml.session_minutes

    idp {
      entity_id        = var.saml.entity_id
      metadata_content = var.saml.metadata
    }
  }

  lifecycle {
    replace_triggered_by = [aws_opensearch_domain.this.id]
  }

  depends_on = [aws_opensearch_domain_policy.this]
}

resource "aws_route53_record" "dashboards" {
  count = local.dashboards_host != "" ? 1 : 0

  zone_id = data.aws_route53_zone.platform.zone_id
  name    = local.dashboards_host
  type    = "CNAME"
  ttl     = 300
  records = [aws_opensearch_domain.this.endpoint]
}

# When it tells.

locals {
  members = var.nodes + var.dedicated_masters
  # A single node has nowhere to put the copies that some of OpenSearch's own indices ask for: it is yellow for ever.
  is_alone = var.nodes == 1
  alarms = merge({
    red       = { metric = "ClusterStatus.red", statistic = "Maximum", operator = "GreaterThanOrEqualToThreshold", threshold = 1, periods = 1, what = "An index has lost a shard." }
    nodes     = { metric = "Nodes", statistic = "Minimum", operator = "LessThanThreshold", threshold = local.members, periods = 12, what = "A node is missing for an hour." }
    storage   = { metric = "FreeStorageSpace", statistic = "Minimum", operator = "LessThanThreshold", threshold = var.volume_size * 1024 * var.alarm_free_storage_percent / 100, periods = 1, what = "A node's disk is nearly full." }
    blocked   = { metric = "ClusterIndexWritesBlocked", statistic = "Maximum", operator = "GreaterThanOrEqualToThreshold", threshold = 1, periods = 1, what = "It takes no more logs." }
    cpu       = { metric = "CPUUtilization", statistic = "Average", operator = "GreaterThanOrEqualToThreshold", threshold = var.alarm_cpu_percent, periods = 9, what = "The nodes are busy." }
    jvm       = { metric = "JVMMemoryPressure", statistic = "Maximum", operator = "GreaterThanOrEqualToThreshold", threshold = var.alarm_jvm_percent, periods = 3, what = "The Java heap is nearly full." }
    snapshots = { metric = "AutomatedSnapshotFailure", statistic = "Maximum", operator = "GreaterThanOrEqualToThreshold", threshold = 1, periods = 1, what = "The hourly snapshot failed." }
    key       = { metric = "KMSKeyError", statistic = "Maximum", operator = "GreaterThanOrEqualToThreshold", threshold = 1, periods = 1, what = "Its KMS key is turned off: turn it on again, or the domain is lost." }
    }, local.is_alone ? {} : {
    yellow = { metric = "ClusterStatus.yellow", statistic = "Maximum", operator = "GreaterThanOrEqualToThreshold", threshold = 1, periods = 12, what = "A copy of a shard is missing for an hour." }
    }, var.dedicated_masters == 0 ? {} : {
    master-cpu = { metric = "MasterCPUUtilization", statistic = "Average", operator = "GreaterThanOrEqualToThreshold", threshold = 50, periods = 9, what = "The dedicated masters are too small." }
    master-jvm = { metric = "MasterJVMMemoryPressure", statistic = "Maximum", operator = "GreaterThanOrEqualToThreshold", threshold = var.alarm_jvm_percent, periods = 3, what = "The Java heap of a dedicated master is nearly full." }
  })
}

resource "aws_cloudwatch_metric_alarm" "domain" {
  for_each = local.alarms

  alarm_name          = "${local.name}-${each.key}"
  alarm_description   = "Domain ${local.domain}: ${each.value.what}"
  namespace           = "AWS/ES"
  metric_name         = each.value.metric
  dimensions          = { DomainName = local.domain, ClientId = local.account_id }
  statistic           = each.value.statistic
  comparison_operator = each.value.operator
  threshold           = each.value.threshold
  period              = 300
  evaluation_periods  = each.value.periods
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
  tags                = merge(local.tags, { Name = "${local.name}-${each.key}" })
}

# The domain reports every minute: silence means that it is down.
resource "aws_cloudwatch_metric_alarm" "down" {
  alarm_name          = "${local.name}-down"
  alarm_description   = "Domain ${local.domain} reports nothing: it is down."
  namespace           = "AWS/ES"
  metric_name         = "Nodes"
  dimensions          = { DomainName = local.domain, ClientId = local.account_id }
  statistic           = "SampleCount"
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  period              = 300
  evaluation_periods  = 3
  treat_missing_data  = "breaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
  tags                = merge(local.tags, { Name = "${local.name}-down" })

  depends_on = [aws_opensearch_domain.this] # which takes longer than that to come
}
