# The configuration: files in a bucket, which each server looks at every minute, checks, and has read without a restart.

locals {
  bucket_name = lower("${var.pre_tag}-${trim(substr(local.unit, 0, 16), "-")}-${var.post_tag}-${substr(sha1("${var.project}/${var.environment}/${local.unit}/${data.aws_caller_identity.current.account_id}/${var.region}"), 0, 8)}")
  secret_arns = concat(var.webhook_token_secret_arn == "" ? [] : [var.webhook_token_secret_arn], aws_secretsmanager_secret.grafana[*].arn)

  here = { Project = var.project, Environment = var.environment }

  # One rule marks what is kept for long: it gives those metrics the label by which `longterm` federates.
  mark = [for names in [join("|", var.longterm_metrics)] : {
    source_labels = ["__name__"]
    regex         = names
    target_label  = "longterm"
    replacement   = "true"
  } if names != ""]

  node_tags = concat(
    [merge(local.here, { Packages = "*|prometheus-node-exporter|*" })],
    [for tags in [var.node_tags] : merge(local.here, tags) if length(tags) > 0],
  )

  ec2_jobs = merge(
    { node = { port = 9100, path = "/metrics", tags = local.node_tags } },
    { for name, job in var.jobs : name => { port = job.port, path = job.path, tags = [merge(local.here, job.tags)] } },
  )

  global = {
    scrape_interval     = "${var.scrape_interval_s}s"
    scrape_timeout      = "${min(10, var.scrape_interval_s)}s"
    evaluation_interval = "${var.scrape_interval_s}s"
    external_labels     = { project = var.project, environment = var.environment, region = var.region }
  }

  alerting = { alertmanagers = [{ static_configs = [{ targets = [for name, address in local.addresses : "${address}:9093"] }] }] }

  pair_jobs = [for job, port in { prometheus = 9090, alertmanager = 9093 } : {
    job_name               = job
    static_configs         = [for name, address in local.addresses : { targets = ["${address}:${port}"], labels = { name = local.fqdn[name] } }]
    metric_relabel_configs = local.mark
  }]

  recent_configuration = {
    global     = local.global
    alerting   = local.alerting
    rule_files = ["rules/*.yml"]
    scrape_configs = concat(
      local.pair_jobs,
      [for name, job in local.ec2_jobs : {
        job_name     = name
        metrics_path = job.path
        ec2_sd_configs = [for tags in job.tags : {
          region           = var.region
          port             = job.port
          refresh_interval = "60s"
          filters = concat(
            [{ name = "instance-state-name", values = ["running"] }],
            [for key, value in tags : { name = "tag:${key}", values = [value] }],
          )
        }]
        relabel_configs = [for label, source in { name = "tag_Name", cluster = "tag_Cluster", instance_id = "instance_id", zone = "availability_zone" } : {
          source_labels = ["__meta_ec2_${source}"]
          target_label  = label
        }]
        metric_relabel_configs = local.mark
      }],
      [{
        job_name        = "web"
        metrics_path    = "/probe"
        scrape_interval = "${max(var.scrape_interval_s, 30)}s"
        params          = { module = ["http_2xx"] }
        file_sd_configs = [{ files = ["checks/*.json"] }]
        relabel_configs = [
          { source_labels = ["__address__"], target_label = "__param_target" },
          { source_labels = ["__param_target"], target_label = "instance" },
          { target_label = "__address__", replacement = "127.0.0.1:9115" },
        ]
        metric_relabel_configs = local.mark
      }],
    )
  }

  longterm_configuration = {
    global     = merge(local.global, { scrape_interval = "${var.federation_interval_s}s", scrape_timeout = "${min(30, var.federation_interval_s)}s" })
    alerting   = local.alerting
    rule_files = ["rules/*.yml"]
    scrape_configs = [
      {
        job_name       = "federate"
        metrics_path   = "/federate"
        honor_labels   = true
        params         = { "match[]" = ["{longterm=\"true\"}"] }
        static_configs = [{ targets = ["${local.addresses.recent}:9090"], labels = { name = local.fqdn.recent } }]
      },
      {
        job_name       = "prometheus"
        static_configs = [{ targets = ["${local.addresses.longterm}:9090"], labels = { name = local.fqdn.longterm } }]
      },
    ]
  }

  to_topic = var.alerts_to_topic && var.alarm_topic_arn != ""

  alertmanager_configuration = {
    route = {
      receiver        = "operators"
      group_by        = ["alertname", "cluster"]
      group_wait      = "${var.group_wait_s}s"
      group_interval  = "5m"
      repeat_interval = "${var.repeat_hours}h"
    }
    inhibit_rules = [{
      source_matchers = ["severity=\"critical\""]
      target_matchers = ["severity=\"warning\""]
      equal           = ["instance", "name"]
    }]
    receivers = [{
      name = "operators"
      webhook_configs = [for url in [var.webhook_url] : {
        url           = url
        send_resolved = true
        http_config = { for kind in var.webhook_token_secret_arn == "" ? [] : ["authorization"] : kind => {
          credentials_file = "webhook-token"
        } }
      } if url != ""]
      sns_configs = [for region in local.to_topic ? [var.region] : [] : {
        topic_arn     = var.alarm_topic_arn
        sigv4         = { region = region }
        send_resolved = true
        subject       = "{{ .Status | toUpper }}: {{ .CommonLabels.alertname }} ({{ .CommonLabels.environment }})"
      }]
    }]
  }

  checks = [for name, url in var.web_checks : { targets = [url], labels = { check = name } }]

  file_names = concat(
    [for pair in setproduct(keys(local.servers), ["prometheus.yml", "alertmanager.yml", "rules/platform.yml"]) : "${pair[0]}/${pair[1]}"],
    ["checks/platform.json"],
    [for name in keys(var.rules) : "recent/rules/own-${name}.yml"],
  )
  files = merge(
    {
      "recent/prometheus.yml"     = yamlencode(local.recent_configuration)
      "recent/alertmanager.yml"   = yamlencode(local.alertmanager_configuration)
      "longterm/prometheus.yml"   = yamlencode(local.longterm_configuration)
      "longterm/alertmanager.yml" = yamlencode(local.alertmanager_configuration)
      "checks/platform.json"      = jsonencode(local.checks)
    },
    { for server in keys(local.servers) : "${server}/rules/platform.yml" => templatefile("${path.module}/files/rules/${server}.yml.tftpl", {
      down_for         = "${var.down_for_s}s"
      certificate_days = var.certificate_days
    }) },
    { for name, text in var.rules : "recent/rules/own-${name}.yml" => text },
  )
}

data "aws_caller_identity" "current" {}

resource "aws_s3_bucket" "files" {
  bucket        = local.bucket_name
  force_destroy = var.force_destroy
  tags          = merge(local.tags, { Name = format(local.name, "${local.unit}-files") })
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

resource "aws_s3_bucket_server_side_encryption_configuration" "files" {
  bucket = aws_s3_bucket.files.id

  rule {
    bucket_key_enabled = var.kms_key_arn != ""

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key_arn == "" ? "AES256" : "aws:kms"
      kms_master_key_id = var.kms_key_arn == "" ? null : var.kms_key_arn
    }
  }
}

data "aws_iam_policy_document" "files" {
  statement {
    sid       = "TlsOnly"
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

resource "aws_s3_object" "configuration" {
  for_each = toset(local.file_names)

  bucket       = aws_s3_bucket.files.id
  key          = each.key
  content      = local.files[each.key]
  content_type = endswith(each.key, ".json") ? "application/json" : "application/yaml"
  tags         = merge(local.own_tags, { Name = format(local.name, local.unit) }) # an object may have ten tags

  depends_on = [aws_s3_bucket_server_side_encryption_configuration.files, aws_s3_bucket_policy.files]
}
