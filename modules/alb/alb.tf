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

data "aws_route53_zone" "platform" {
  name         = var.domain_name
  private_zone = false
}

locals {
  unit = var.unit != "" ? var.unit : "alb"
  name = "${var.pre_tag}-${local.unit}-${var.post_tag}"
  host = "${var.hostname != "" ? var.hostname : local.unit}.${var.domain_name}"

  # Load balancers may have 32 characters, buckets no capitals; both are one of a kind.
  digest      = sha1("${var.project}/${var.environment}/${local.unit}/${data.aws_caller_identity.current.account_id}/${var.region}")
  dashed      = trim(replace(local.name, "/-+/", "-"), "-")
  lb_name     = length(local.dashed) <= 32 && !startswith(local.dashed, "internal-") ? local.dashed : "lb-${trim(substr(local.dashed, 0, 20), "-")}-${substr(local.digest, 0, 8)}"
  logs_bucket = lower("${var.pre_tag}-${trim(substr(local.unit, 0, 16), "-")}-${var.post_tag}-${substr(local.digest, 0, 8)}")

  tags = merge(var.tags, {
    Project     = var.project
    Environment = var.environment
    Cluster     = local.unit
    Service     = var.service
    Version     = var.version_tag
    "ngp:unit"  = local.unit
  })

  alarm_actions = compact([var.alarm_topic_arn])
  own_proof     = var.certificate_arn == "" ? 1 : 0
  logs          = var.access_logs ? 1 : 0
}

# Who may reach whom.

resource "aws_security_group" "this" {
  name_prefix = "${local.lb_name}-"
  description = "Load balancer of ${local.name}"
  vpc_id      = var.vpc_id
  tags        = merge(local.tags, { Name = local.name })

  lifecycle {
    create_before_destroy = true
  }
}

locals {
  ports = { http = 80, https = 443 }

  # By port and network; an internal load balancer's own network is known later only, so it has rules of its own.
  networks = length(var.ingress_cidrs) > 0 || var.internal ? var.ingress_cidrs : toset(["0.0.0.0/0"])
  ingress = { for pair in setproduct(keys(local.ports), local.networks) : "${pair[0]} from ${pair[1]}" => {
    name = pair[0], cidr = pair[1]
  } }
  # The ports on which the application answers, for requests and for the health check.
  target_ports = toset([for port in distinct([var.service_port, var.health_port]) : tostring(port) if port > 0])
  target_rules = setproduct(range(length(var.target_security_group_ids)), local.target_ports)
}

resource "aws_vpc_security_group_ingress_rule" "client" {
  for_each = local.ingress

  security_group_id = aws_security_group.this.id
  description       = each.key
  cidr_ipv4         = each.value.cidr
  ip_protocol       = "tcp"
  from_port         = local.ports[each.value.name]
  to_port           = local.ports[each.value.name]
  tags              = merge(local.tags, { Name = "${local.name}-${each.value.name}" })
}

resource "aws_vpc_security_group_ingress_rule" "vpc" {
  for_each = { for name, port in local.ports : name => port if var.internal }

  security_group_id = aws_security_group.this.id
  description       = "${each.key} from the VPC"
  cidr_ipv4         = var.vpc_cidr
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
  tags              = merge(local.tags, { Name = "${local.name}-${each.key}" })
}

resource "aws_vpc_security_group_egress_rule" "target" {
  for_each = local.target_ports

  security_group_id = aws_security_group.this.id
  description       = "Application in the VPC"
  cidr_ipv4         = var.vpc_cidr
  ip_protocol       = "tcp"
  from_port         = tonumber(each.key)
  to_port           = tonumber(each.key)
  tags              = merge(local.tags, { Name = "${local.name}-target" })
}

resource "aws_vpc_security_group_ingress_rule" "target" {
  for_each = { for rule in local.target_rules : "${rule[0]}-${rule[1]}" => { group = rule[0], port = tonumber(rule[1]) } }

  security_group_id            = var.target_security_group_ids[each.value.group]
  description                  = "Load balancer of ${local.host}"
  referenced_security_group_id = aws_security_group.this.id
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  tags                         = merge(local.tags, { Name = "${local.name}-target" })
}

# The certificate, where none is given.

resource "aws_acm_certificate" "this" {
  count = local.own_proof

  domain_name       = local.host
  validation_method = "DNS"
  tags              = merge(local.tags, { Name = local.host })

  lifecycle {
    create_before_destroy = true

    precondition {
      condition     = length(local.host) <= 64
      error_message = "The name ${local.host} has more than 64 characters, for which ACM makes no certificate: choose a shorter hostname, or give certificate_arn."
    }
  }
}

resource "aws_route53_record" "proof" {
  count = local.own_proof

  zone_id         = data.aws_route53_zone.platform.zone_id
  name            = one(aws_acm_certificate.this[0].domain_validation_options).resource_record_name
  type            = one(aws_acm_certificate.this[0].domain_validation_options).resource_record_type
  records         = [one(aws_acm_certificate.this[0].domain_validation_options).resource_record_value]
  ttl             = 60
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "this" {
  count = local.own_proof

  certificate_arn         = aws_acm_certificate.this[0].arn
  validation_record_fqdns = [aws_route53_record.proof[0].fqdn]
}

locals {
  certificate_arn = var.certificate_arn != "" ? var.certificate_arn : aws_acm_certificate_validation.this[0].certificate_arn
}

# The load balancer.

resource "aws_lb" "this" {
  name                       = local.lb_name
  load_balancer_type         = "application"
  internal                   = var.internal
  subnets                    = var.internal ? var.private_subnet_ids : var.public_subnet_ids
  security_groups            = [aws_security_group.this.id]
  drop_invalid_header_fields = true
  enable_deletion_protection = var.deletion_protection
  idle_timeout               = var.idle_timeout_seconds
  tags                       = merge(local.tags, { Name = local.name })

  dynamic "access_logs" {
    for_each = aws_s3_bucket_policy.logs

    content {
      enabled = true
      bucket  = access_logs.value.bucket
      prefix  = local.unit
    }
  }
}

resource "aws_lb_target_group" "this" {
  name_prefix          = "${substr(replace(local.unit, "-", ""), 0, 5)}-"
  vpc_id               = var.vpc_id
  protocol             = var.service_protocol
  port                 = var.service_port
  deregistration_delay = var.deregistration_delay_seconds
  tags                 = merge(local.tags, { Name = local.name })

  health_check {
    protocol            = var.service_protocol
    path                = var.health_path
    port                = var.health_port > 0 ? tostring(var.health_port) : "traffic-port"
    matcher             = var.health_codes
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }

  stickiness {
    type            = "lb_cookie"
    enabled         = var.sticky_seconds > 0
    cookie_duration = var.sticky_seconds > 0 ? var.sticky_seconds : 86400
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_autoscaling_attachment" "this" {
  count = length(var.autoscaling_group_names)

  autoscaling_group_name = var.autoscaling_group_names[count.index]
  lb_target_group_arn    = aws_lb_target_group.this.arn
}

resource "aws_lb_target_group_attachment" "this" {
  count = length(var.instance_ids)

  target_group_arn = aws_lb_target_group.this.arn
  target_id        = var.instance_ids[count.index]
  port             = var.service_port
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.this.arn
  protocol          = "HTTPS"
  port              = 443
  ssl_policy        = var.ssl_policy
  certificate_arn   = local.certificate_arn
  tags              = merge(local.tags, { Name = local.name })

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this.arn
  }
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.this.arn
  protocol          = "HTTP"
  port              = 80
  tags              = merge(local.tags, { Name = local.name })

  default_action {
    type = "redirect"

    redirect {
      protocol    = "HTTPS"
      port        = "443"
      status_code = "HTTP_301"
    }
  }
}

resource "aws_route53_record" "this" {
  zone_id = data.aws_route53_zone.platform.zone_id
  name    = local.host
  type    = "A"

  alias {
    name                   = aws_lb.this.dns_name
    zone_id                = aws_lb.this.zone_id
    evaluate_target_health = true
  }
}

# When it tells.

locals {
  of_balancer = { LoadBalancer = aws_lb.this.arn_suffix }
  of_targets  = { LoadBalancer = aws_lb.this.arn_suffix, TargetGroup = aws_lb_target_group.this.arn_suffix }

  alarms = {
    unhealthy = {
      namespace = "AWS/ApplicationELB", metric = "UnHealthyHostCount", statistic = "Maximum", dimensions = local.of_targets
      above     = true, threshold = 0, period = 60, periods = 5, what = "An instance does not answer ${var.health_path}."
    }
    errors = {
      namespace = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", statistic = "Sum", dimensions = local.of_targets
      above     = true, threshold = var.alarm_errors, period = 300, periods = 1, what = "The application answers 5xx."
    }
    # Not the application's: nobody is there to answer, or answers in time.
    balancer = {
      namespace = "AWS/ApplicationELB", metric = "HTTPCode_ELB_5XX_Count", statistic = "Sum", dimensions = local.of_balancer
      above     = true, threshold = var.alarm_errors, period = 300, periods = 1, what = "The load balancer answers 5xx itself: no instance does."
    }
    # ACM renews 60 days before the end.
    certificate = {
      namespace = "AWS/CertificateManager", metric = "DaysToExpiry", statistic = "Minimum", dimensions = { CertificateArn = local.certificate_arn }
      above     = false, threshold = 30, period = 86400, periods = 1, what = "The certificate ends in less than 30 days and was not renewed."
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = { for name, alarm in local.alarms : name => alarm if name != "certificate" || !strcontains(var.certificate_arn, ":iam:") } # IAM counts no days

  alarm_name          = "${local.name}-${each.key}"
  alarm_description   = "${local.host}: ${each.value.what}"
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  comparison_operator = each.value.above ? "GreaterThanThreshold" : "LessThanThreshold"
  threshold           = each.value.threshold
  period              = each.value.period
  evaluation_periods  = each.value.periods
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
  tags                = merge(local.tags, { Name = "${local.name}-${each.key}" })
}
