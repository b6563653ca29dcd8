# The collectors: Logstash in an autoscaling group, behind a load balancer of the VPC.

resource "aws_lb" "collector" {
  count = local.has_collectors

  name                             = local.lb_name
  load_balancer_type               = "network"
  internal                         = true
  subnets                          = var.private_subnet_ids
  security_groups                  = [aws_security_group.lb[0].id]
  enable_cross_zone_load_balancing = true
  tags                             = merge(local.tags, { Name = local.name })
}

resource "aws_lb_target_group" "collector" {
  count = local.has_collectors

  name_prefix          = "${substr(replace(local.unit, "-", ""), 0, 5)}-"
  vpc_id               = var.vpc_id
  protocol             = "TCP"
  port                 = 5044
  deregistration_delay = 60
  tags                 = merge(local.tags, { Name = local.name })

  health_check {
    protocol            = "TCP"
    port                = "traffic-port"
    interval            = 10
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_lb_listener" "collector" {
  count = local.has_collectors

  load_balancer_arn = aws_lb.collector[0].arn
  protocol          = var.collector_tls ? "TLS" : "TCP"
  port              = 5044
  ssl_policy        = var.collector_tls ? "ELBSecurityPolicy-TLS13-1-2-2021-06" : null
  certificate_arn   = var.collector_tls ? local.certificate_arn : null
  tags              = merge(local.tags, { Name = local.name })

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.collector[0].arn
  }
}

resource "aws_route53_record" "collector" {
  count = local.has_collectors

  zone_id = data.aws_route53_zone.platform.zone_id
  name    = local.collector_host
  type    = "A"

  alias {
    name                   = aws_lb.collector[0].dns_name
    zone_id                = aws_lb.collector[0].zone_id
    evaluate_target_health = true
  }
}

data "aws_ssm_parameter" "debian" {
  count = var.ami_id == "" ? 1 : 0

  name = "/aws/service/debian/release/${var.debian_release}/latest/amd64"
}

locals {
  collector_tags = merge(local.tags, { Name = "${local.name}-collector", Packages = "|logstash|" })

  collector_settings = {
    AWS_DEFAULT_REGION = var.region
    ARCHIVE_URL        = var.collector_archive_url
    ARCHIVE_SHA512     = var.collector_archive_sha512
    SETTLES            = var.collector_settles
  }

  # What files/settle.py makes of the domain.
  domain_settings = {
    ENDPOINT       = "https://${aws_opensearch_domain.this.endpoint}"
    REGION         = var.region
    MASTER_ROLE    = aws_iam_role.master.arn
    WRITERS        = join(" ", concat(aws_iam_role.collector[*].arn, var.writer_role_arns))
    READERS        = join(" ", var.reader_role_arns)
    INDEX_PREFIX   = var.index_prefix
    COPIES         = var.zones > 1 ? var.zones - 1 : 0
    RETENTION_DAYS = var.retention_days
    BUCKET         = aws_s3_bucket.snapshots.id
    SNAPSHOT_ROLE  = aws_iam_role.snapshots.arn
  }

  collector_files = [
    { path = "/usr/local/lib/ngp/collector.sh", permissions = "0755", content = file("${path.module}/files/collector.sh") },
    { path = "/usr/local/lib/ngp/settle.py", permissions = "0755", content = file("${path.module}/files/settle.py") },
    { path = "/etc/systemd/system/ngp-elk.service", permissions = "0644", content = file("${path.module}/files/ngp-elk.service") },
    { path = "/etc/systemd/system/ngp-elk-settle.service", permissions = "0644", content = file("${path.module}/files/ngp-elk-settle.service") },
    { path = "/etc/systemd/system/ngp-elk-settle.timer", permissions = "0644", content = file("${path.module}/files/ngp-elk-settle.timer") },
    { path = "/etc/systemd/system/logstash.service", permissions = "0644", content = file("${path.module}/files/logstash.service") },
    { path = "/etc/logrotate.d/ngp", permissions = "0644", content = file("${path.module}/files/logrotate.conf") },
    { path = "/etc/ngp/elk.env", permissions = "0644", content = join("", [for name, value in local.collector_settings : "${name}='${value}'\n"]) },
    { path = "/etc/ngp/settle.json", permissions = "0644", content = jsonencode(local.domain_settings) },
    { path = "/etc/logstash/logstash.yml", permissions = "0644", content = templatefile("${path.module}/files/logstash.yml.tftpl", {
      queue_gib = floor(var.collector_volume_size / 2)
    }) },
    { path = "/etc/logstash/pipeline.conf", permissions = "0644", content = templatefile("${path.module}/files/pipeline.conf.tftpl", {
      endpoint     = aws_opensearch_domain.this.endpoint
      region       = var.region
      index_prefix = var.index_prefix
    }) },
  ]

  collector_user_data = join("\n", ["#cloud-config", yamlencode({
    write_files = local.collector_files
    # From here on systemd has the word: installs and starts now and, where that is undone, at every boot.
    runcmd = [
      ["mkdir", "-p", "/var/log/ngp"],
      ["systemctl", "daemon-reload"],
      ["systemctl", "enable", "--now", "--no-block", "ngp-elk.service"],
    ]
  })])
}

resource "terraform_data" "release" {
  input = var.debian_release
}

resource "aws_launch_template" "collector" {
  count = local.has_collectors

  name_prefix            = "${local.name}-"
  description            = "Collectors of ${local.domain}"
  image_id               = var.ami_id != "" ? var.ami_id : one(data.aws_ssm_parameter.debian[*].insecure_value)
  instance_type          = var.collector_instance_type
  user_data              = base64gzip(local.collector_user_data)
  update_default_version = true
  vpc_security_group_ids = [aws_security_group.collector[0].id]
  tags                   = merge(local.tags, { Name = local.name })

  iam_instance_profile {
    arn = aws_iam_instance_profile.collector[0].arn
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  block_device_mappings {
    device_name = var.root_device_name

    ebs {
      volume_type           = "gp3"
      volume_size           = var.collector_volume_size
      encrypted             = true
      delete_on_termination = true
    }
  }

  dynamic "tag_specifications" {
    for_each = toset(["instance", "volume", "network-interface"])

    content {
      resource_type = tag_specifications.key
      tags          = local.collector_tags
    }
  }

  lifecycle {
    # A newer AMI is taken when the collectors are renewed on purpose, not with every plan: with a new release, or by
    # -replace.
    ignore_changes        = [image_id]
    replace_triggered_by  = [terraform_data.release]
    create_before_destroy = true
  }
}

resource "aws_autoscaling_group" "collector" {
  count = local.has_collectors

  name                      = "${local.name}-collector"
  vpc_zone_identifier       = var.private_subnet_ids
  min_size                  = var.collectors
  max_size                  = var.collectors + 1
  desired_capacity          = var.collectors
  target_group_arns         = [aws_lb_target_group.collector[0].arn]
  health_check_type         = "ELB"
  health_check_grace_period = 900 # the first boot fetches Logstash
  enabled_metrics           = ["GroupDesiredCapacity", "GroupInServiceInstances"]
  wait_for_capacity_timeout = "10m"

  launch_template {
    id      = aws_launch_template.collector[0].id
    version = aws_launch_template.collector[0].latest_version
  }

  dynamic "tag" {
    for_each = local.collector_tags

    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = true
    }
  }

  depends_on = [
    aws_iam_role_policy.collector,
    aws_iam_role_policy.collector_session,
    aws_opensearch_domain_policy.this,
    aws_vpc_security_group_egress_rule.collector,
    aws_vpc_security_group_ingress_rule.domain_collector,
  ]
}

resource "aws_cloudwatch_metric_alarm" "collector" {
  count = local.has_collectors

  alarm_name          = "${local.name}-collectors"
  alarm_description   = "A collector of ${local.domain} does not answer on port 5044."
  namespace           = "AWS/NetworkELB"
  metric_name         = "UnHealthyHostCount"
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = 15
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
  tags                = merge(local.tags, { Name = "${local.name}-collectors" })

  dimensions = {
    LoadBalancer = aws_lb.collector[0].arn_suffix
    TargetGroup  = aws_lb_target_group.collector[0].arn_suffix
  }
}

# A collector that cannot even be started is no unhealthy one.
resource "aws_cloudwatch_metric_alarm" "collectors" {
  count = local.has_collectors

  alarm_name          = "${local.name}-collectors-in-service"
  alarm_description   = "Collectors of ${local.domain} are missing."
  namespace           = "AWS/AutoScaling"
  metric_name         = "GroupInServiceInstances"
  statistic           = "Minimum"
  comparison_operator = "LessThanThreshold"
  threshold           = var.collectors
  period              = 60
  evaluation_periods  = 15
  treat_missing_data  = "breaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
  tags                = merge(local.tags, { Name = "${local.name}-collectors-in-service" })

  dimensions = {
    AutoScalingGroupName = aws_autoscaling_group.collector[0].name
  }
}
