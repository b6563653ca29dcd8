# Agents on the nodes of node_tags and on the servers, installed and kept by Systems Manager: those that come later get them too.

locals {
  agents  = var.install_node_exporter || var.sysdig_image != "" || var.log_shipper != ""
  shipper = var.log_shipper == "fluent-bit"
  signed  = local.shipper && var.logs_secret_arn == "" # by the node's role

  agent_secret_arns = concat(
    var.sysdig_image != "" ? [var.sysdig_key_secret_arn] : [],
    local.shipper && var.logs_secret_arn != "" ? [var.logs_secret_arn] : [],
  )
  agent_roles  = concat([aws_iam_role.server.name], var.node_role_names)
  agent_rights = length(local.agent_secret_arns) > 0 || local.signed

  agent_parameters = {
    LOG                   = "/var/log/ngp/agents.log"
    REGION                = var.region
    PROJECT               = var.project
    ENVIRONMENT           = var.environment
    NODE_EXPORTER         = var.install_node_exporter
    SYSDIG_IMAGE          = var.sysdig_image
    SYSDIG_COLLECTOR      = var.sysdig_collector
    SYSDIG_KEY_SECRET_ARN = var.sysdig_key_secret_arn
    SYSDIG_SETTINGS       = var.sysdig_settings
    LOG_SHIPPER           = var.log_shipper
    LOG_SHIPPER_IMAGE     = var.log_shipper_image
    LOGS_SECRET_ARN       = var.logs_secret_arn
    ELK_DOMAIN_ENDPOINT   = var.elk_domain_endpoint
    ELK_INDEX_PREFIX      = var.elk_index_prefix
    LOGSTASH_URI          = var.logstash_uri
    ELK_LOGSTASH_TLS      = var.elk_logstash_tls
  }
  agent_script = join("\n", concat(
    ["#!/bin/bash"],
    [for key, value in local.agent_parameters : "${key}='${replace(value, "'", "'\\''")}'"],
    [file("${path.module}/files/boot.sh"), file("${path.module}/files/agents.sh")],
  ))

  agent_targets = { for name, tags in { nodes = merge(local.here, var.node_tags), servers = merge(local.here, { Cluster = local.unit }) } : name => tags
  if local.agents && (name == "servers" || length(var.node_tags) > 0) }
}

resource "aws_ssm_document" "agents" {
  count = local.agents ? 1 : 0

  name            = format(local.name, "${local.unit}-agents")
  document_type   = "Command"
  document_format = "JSON"
  target_type     = "/AWS::EC2::Instance"
  tags            = merge(local.tags, { Name = format(local.name, "${local.unit}-agents") })

  content = jsonencode({
    schemaVersion = "2.2"
    description   = "Agents of ${local.unit}"
    mainSteps = [{
      action = "aws:runShellScript"
      name   = "agents"
      inputs = { timeoutSeconds = "3600", runCommand = split("\n", local.agent_script) }
    }]
  })
}

resource "aws_ssm_association" "agents" {
  for_each = local.agent_targets

  name                = aws_ssm_document.agents[0].name
  association_name    = format(local.name, "${local.unit}-agents-${each.key}")
  document_version    = aws_ssm_document.agents[0].latest_version # a change arrives at once
  schedule_expression = "rate(1 day)"
  max_concurrency     = "25%"
  max_errors          = "25%"
  tags                = merge(local.tags, { Name = format(local.name, "${local.unit}-agents-${each.key}") })

  dynamic "targets" {
    for_each = each.value

    content {
      key    = "tag:${targets.key}"
      values = [targets.value]
    }
  }

  depends_on = [aws_iam_role_policy.agents]
}

data "aws_iam_policy_document" "agents" {
  count = local.agent_rights ? 1 : 0

  dynamic "statement" {
    for_each = length(local.agent_secret_arns) > 0 ? [local.agent_secret_arns] : []

    content {
      sid       = "ReadKeys"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = statement.value
    }
  }

  dynamic "statement" {
    for_each = local.signed ? [var.elk_domain_arn] : []

    content {
      sid       = "WriteLogs"
      actions   = ["es:ESHttpPost"]
      resources = ["${statement.value}/*"]
    }
  }

  dynamic "statement" {
    for_each = var.kms_key_arn == "" || length(local.agent_secret_arns) == 0 ? [] : [var.kms_key_arn]

    content {
      sid       = "DecryptKeys"
      actions   = ["kms:Decrypt"]
      resources = [statement.value]

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["secretsmanager.${var.region}.amazonaws.com"]
      }
    }
  }
}

resource "aws_iam_role_policy" "agents" {
  count = local.agent_rights ? length(local.agent_roles) : 0

  name   = format(local.name, "${local.unit}-agents")
  role   = local.agent_roles[count.index]
  policy = data.aws_iam_policy_document.agents[0].json
}
