# The way in: names, certificate, load balancer.

resource "aws_acm_certificate" "cluster" {
  domain_name               = local.domain
  subject_alternative_names = ["*.${local.domain}"]
  validation_method         = "DNS"
  tags                      = merge(local.tags, { Name = local.domain })

  lifecycle {
    create_before_destroy = true

    precondition {
      condition     = length(local.domain) <= 64
      error_message = "The name ${local.domain} has more than 64 characters, for which ACM makes no certificate."
    }
  }
}

locals {
  # A name and its wildcard are proved by one and the same record.
  proof = one([for option in aws_acm_certificate.cluster.domain_validation_options : option if option.domain_name == local.domain])
}

resource "aws_route53_record" "proof" {
  zone_id         = data.aws_route53_zone.platform.zone_id
  name            = local.proof.resource_record_name
  type            = local.proof.resource_record_type
  records         = [local.proof.resource_record_value]
  ttl             = 60
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "cluster" {
  certificate_arn         = aws_acm_certificate.cluster.arn
  validation_record_fqdns = [aws_route53_record.proof.fqdn]
}

resource "aws_lb" "cluster" {
  name                       = local.lb_name
  load_balancer_type         = "application"
  subnets                    = var.public_subnet_ids
  security_groups            = [aws_security_group.lb.id]
  drop_invalid_header_fields = true
  enable_deletion_protection = var.lb_deletion_protection
  idle_timeout               = var.lb_idle_timeout_s
  tags                       = merge(local.tags, { Name = local.lb_name })

  dynamic "access_logs" {
    for_each = compact([var.lb_logs_bucket])

    content {
      enabled = true
      bucket  = access_logs.value
      prefix  = local.unit
    }
  }
}

resource "aws_lb_target_group" "router" {
  name_prefix          = "swarm-"
  vpc_id               = var.vpc_id
  protocol             = "HTTP"
  port                 = 80
  deregistration_delay = 30
  tags                 = merge(local.tags, { Name = local.lb_name })

  health_check {
    path                = "/status"
    matcher             = "200"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_lb_target_group_attachment" "manager" {
  for_each = local.manager_slots

  target_group_arn = aws_lb_target_group.router.arn
  target_id        = aws_instance.manager[each.key].id
  port             = 80
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.cluster.arn
  protocol          = "HTTPS"
  port              = 443
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = aws_acm_certificate_validation.cluster.certificate_arn
  tags              = merge(local.tags, { Name = local.lb_name })

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.router.arn
  }
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.cluster.arn
  protocol          = "HTTP"
  port              = 80
  tags              = merge(local.tags, { Name = local.lb_name })

  default_action {
    type = "redirect"

    redirect {
      protocol    = "HTTPS"
      port        = "443"
      status_code = "HTTP_301"
    }
  }
}

resource "aws_route53_record" "cluster" {
  for_each = toset(["", "*."])

  zone_id = data.aws_route53_zone.platform.zone_id
  name    = "${each.key}${local.domain}"
  type    = "A"

  alias {
    name                   = aws_lb.cluster.dns_name
    zone_id                = aws_lb.cluster.zone_id
    evaluate_target_health = true
  }
}

resource "aws_cloudwatch_metric_alarm" "unhealthy" {
  alarm_name          = "${local.lb_name}-unhealthy"
  alarm_description   = "A manager's router does not answer the load balancer on /status."
  namespace           = "AWS/ApplicationELB"
  metric_name         = "UnHealthyHostCount"
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = 5
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
  tags                = merge(local.tags, { Name = "${local.lb_name}-unhealthy" })

  dimensions = {
    LoadBalancer = aws_lb.cluster.arn_suffix
    TargetGroup  = aws_lb_target_group.router.arn_suffix
  }
}
