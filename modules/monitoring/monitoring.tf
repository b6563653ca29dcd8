# Two Prometheus servers: `recent` scrapes often and keeps days, `longterm` takes over from it what is kept for a year.

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
  unit = coalesce(var.unit, "monitoring")
  name = "${var.pre_tag}-%s-${var.post_tag}" # format(local.name, "thing")
  arn  = "arn:${data.aws_partition.current.partition}"
  own_tags = {
    Project     = var.project
    Environment = var.environment
    Cluster     = local.unit
    Service     = var.service
    Version     = var.version_tag
    "ngp:unit"  = local.unit
  }
  tags = merge(var.tags, local.own_tags)

  ami_id  = var.ami_id != "" ? var.ami_id : one(data.aws_ssm_parameter.debian[*].insecure_value)
  backup  = var.backup_retention_days > 0
  grafana = var.grafana_version != ""

  servers = {
    recent = {
      number         = 0
      hostname       = var.hostname
      instance_type  = var.recent_instance_type
      disk_gib       = var.recent_disk_gib
      snapshot_id    = ""
      retention_days = var.recent_retention_days
    }
    longterm = {
      number         = 1
      hostname       = "${var.hostname}-longterm"
      instance_type  = var.longterm_instance_type
      disk_gib       = var.longterm_disk_gib
      snapshot_id    = var.longterm_snapshot_id
      retention_days = var.longterm_retention_days
    }
  }
  peer      = { recent = "longterm", longterm = "recent" }
  fqdn      = { for name, server in local.servers : name => "${server.hostname}.${var.domain_name}" }
  addresses = { for name, card in aws_network_interface.server : name => card.private_ip }

  # What the boot script reads, as the assignments at its top.
  parameters = { for name, server in local.servers : name => merge(
    {
      LOG              = "/var/log/ngp/monitoring.log"
      REGION           = var.region
      ROLE             = name
      BUCKET           = aws_s3_bucket.files.id
      VOLUME_ID        = aws_ebs_volume.data[name].id
      ADDRESS          = local.addresses[name]
      PEER             = local.addresses[local.peer[name]]
      FQDN             = local.fqdn[name]
      RETENTION_DAYS   = server.retention_days
      RETENTION_GB     = floor(server.disk_gib * 0.85) # blocks go before the disk is full
      TOKEN_SECRET_ARN = var.webhook_token_secret_arn
      SYNC             = base64encode(file("${path.module}/files/sync.sh"))
    },
    local.grafana && name == "longterm" ? {
      GRAFANA_VERSION    = var.grafana_version
      GRAFANA_SHA256     = var.grafana_sha256
      GRAFANA_URL        = local.grafana_url
      GRAFANA_SECRET_ARN = one(aws_secretsmanager_secret.grafana[*].arn)
      GRAFANA_SECRET     = one(aws_secretsmanager_secret_version.grafana[*].secret_string_wo_version)
    } : {},
  ) }

  user_data = { for name, parameters in local.parameters : name => templatefile("${path.module}/files/user-data.mime.tftpl", {
    parameters = join("\n", [for key, value in parameters : "${key}='${value}'"])
    script = join("\n", [
      file("${path.module}/files/boot.sh"),
      contains(keys(parameters), "GRAFANA_VERSION") ? file("${path.module}/files/grafana.sh") : "",
      file("${path.module}/files/server.sh"),
    ])
  }) }
}

data "aws_partition" "current" {}

data "aws_route53_zone" "this" {
  name         = var.domain_name
  private_zone = false
}

data "aws_ssm_parameter" "debian" {
  count = var.ami_id == "" ? 1 : 0

  name = "/aws/service/debian/release/${var.debian_release}/latest/amd64"
}

data "aws_subnet" "server" {
  for_each = local.servers

  id = element(var.private_subnet_ids, each.value.number)
}

# A disk for the series and an address of its own: both outlive the machine, so that it can be made anew.

resource "aws_ebs_volume" "data" {
  for_each = local.servers

  availability_zone = data.aws_subnet.server[each.key].availability_zone
  type              = "gp3"
  size              = each.value.disk_gib
  snapshot_id       = each.value.snapshot_id == "" ? null : each.value.snapshot_id
  encrypted         = true
  kms_key_id        = var.kms_key_arn == "" ? null : var.kms_key_arn
  tags              = merge(local.tags, { Name = format(local.name, "${local.unit}-${each.key}-data") })
}

resource "aws_network_interface" "server" {
  for_each = local.servers

  description     = "Monitoring server ${each.key}"
  subnet_id       = element(var.private_subnet_ids, each.value.number)
  security_groups = [aws_security_group.server.id]
  tags            = merge(local.tags, { Name = format(local.name, "${local.unit}-${each.key}") })
}

resource "aws_instance" "server" {
  for_each = local.servers

  ami                  = local.ami_id
  instance_type        = each.value.instance_type
  key_name             = var.key_pair_name == "" ? null : var.key_pair_name
  iam_instance_profile = aws_iam_instance_profile.server.name
  user_data_base64     = base64gzip(local.user_data[each.key]) # EC2 takes 16 KiB

  network_interface {
    network_interface_id = aws_network_interface.server[each.key].id
    device_index         = 0
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  root_block_device {
    volume_type = "gp3"
    volume_size = var.root_disk_gib
    encrypted   = true
    kms_key_id  = var.kms_key_arn == "" ? null : var.kms_key_arn
    tags        = merge(local.tags, { Name = format(local.name, "${local.unit}-${each.key}") })
  }

  tags = merge(local.tags, {
    Name     = format(local.name, "${local.unit}-${each.key}")
    Packages = "|prometheus|prometheus-alertmanager|prometheus-node-exporter|"
  })

  lifecycle {
    ignore_changes = [ami] # a newer image must not replace both at once
  }

  # The first boot needs its rights, the way out and its files.
  depends_on = [
    aws_iam_role_policy.server,
    aws_iam_role_policy.session,
    aws_s3_object.configuration,
    aws_vpc_security_group_egress_rule.server,
  ]
}

resource "aws_volume_attachment" "data" {
  for_each = local.servers

  device_name                    = "/dev/sdf"
  volume_id                      = aws_ebs_volume.data[each.key].id
  instance_id                    = aws_instance.server[each.key].id
  stop_instance_before_detaching = true
}

resource "aws_route53_record" "server" {
  for_each = local.servers

  zone_id = data.aws_route53_zone.this.zone_id
  name    = local.fqdn[each.key]
  type    = "A"
  ttl     = 300
  records = [local.addresses[each.key]]
}

# Who watches the watchers: a failed host moves the machine to another, a hung system is rebooted.

resource "aws_cloudwatch_metric_alarm" "status" {
  for_each = { for pair in setproduct(keys(local.servers), ["System", "Instance"]) : "${pair[0]}-${lower(pair[1])}" => {
    server = pair[0]
    check  = pair[1]
    action = { System = "recover", Instance = "reboot" }[pair[1]]
  } }

  alarm_name          = format(local.name, "${local.unit}-${each.key}")
  alarm_description   = "Monitoring server ${local.fqdn[each.value.server]}: ${lower(each.value.check)} status check failed; EC2 tries to ${each.value.action} it"
  namespace           = "AWS/EC2"
  metric_name         = "StatusCheckFailed_${each.value.check}"
  dimensions          = { InstanceId = aws_instance.server[each.value.server].id }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 3
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "missing"
  alarm_actions       = compact(["${local.arn}:automate:${var.region}:ec2:${each.value.action}", var.alarm_topic_arn])
  ok_actions          = compact([var.alarm_topic_arn])
  tags                = merge(local.tags, { Name = format(local.name, "${local.unit}-${each.key}") })
}
