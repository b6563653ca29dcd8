# The ways in: names, certificate, and three load balancers: for people, for nodes, for the world.

locals {
  proofs = var.certificate_arn == "" ? local.hosts : {}
  proof  = { for option in flatten(aws_acm_certificate.this[*].domain_validation_options) : option.domain_name => option }
}

resource "aws_acm_certificate" "this" {
  count = var.certificate_arn == "" ? 1 : 0

  domain_name               = local.hosts["dcos"]
  subject_alternative_names = [for service in sort(var.services) : local.hosts[service]]
  validation_method         = "DNS"
  tags                      = merge(local.tags, { Name = local.hosts["dcos"] })

  lifecycle {
    create_before_destroy = true

    precondition {
      condition     = length(local.hosts["dcos"]) <= 64
      error_message = "The name ${local.hosts["dcos"]} has more than 64 characters, for which ACM makes no certificate: give certificate_arn."
    }
  }
}

resource "aws_route53_record" "proof" {
  for_each = local.proofs

  zone_id         = data.aws_route53_zone.platform.zone_id
  name            = local.proof[each.value].resource_record_name
  type            = local.proof[each.value].resource_record_type
  records         = [local.proof[each.value].resource_record_value]
  ttl             = 60
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "this" {
  count = var.certificate_arn == "" ? 1 : 0

  certificate_arn         = aws_acm_certificate.this[0].arn
  validation_record_fqdns = [for record in aws_route53_record.proof : record.fqdn]
}

locals {
  certificate_arn = var.certificate_arn != "" ? var.certificate_arn : aws_acm_certificate_validation.this[0].certificate_arn
}

# For people: DC/OS and Jenkins, inside.

resource "aws_lb" "master" {
  name                       = local.lb_name["M"]
  load_balancer_type         = "application"
  internal                   = true
  subnets                    = var.private_subnet_ids
  security_groups            = [aws_security_group.this["master_lb"].id]
  drop_invalid_header_fields = true
  tags                       = merge(local.tags, { Name = local.name["Master"] })
}

resource "aws_lb_target_group" "master" {
  name_prefix          = "dcosm-"
  vpc_id               = var.vpc_id
  protocol             = "HTTPS"
  port                 = 443
  deregistration_delay = 30
  tags                 = merge(local.tags, { Name = local.name["Master"] })

  health_check {
    protocol            = "HTTP"
    port                = "5050"
    path                = "/health"
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

resource "aws_lb_listener" "master" {
  load_balancer_arn = aws_lb.master.arn
  protocol          = "HTTPS"
  port              = 443
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = local.certificate_arn
  tags              = merge(local.tags, { Name = local.name["Master"] })

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.master.arn
  }
}

resource "aws_lb_target_group" "jenkins" {
  count = contains(var.services, "jenkins") ? 1 : 0

  name_prefix          = "dcosj-"
  vpc_id               = var.vpc_id
  protocol             = "HTTP"
  port                 = var.jenkins_port
  deregistration_delay = 30
  tags                 = merge(local.tags, { Name = "${local.name["Agent"]}-jenkins" })

  health_check {
    path                = "/login"
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

resource "aws_lb_listener_rule" "jenkins" {
  count = contains(var.services, "jenkins") ? 1 : 0

  listener_arn = aws_lb_listener.master.arn
  priority     = 10
  tags         = merge(local.tags, { Name = local.hosts["jenkins"] })

  condition {
    host_header {
      values = [local.hosts["jenkins"]]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.jenkins[0].arn
  }
}

# For nodes: what agents ask of masters, ZooKeeper among it, which is not HTTP; and Logstash.

locals {
  inner = {
    "80"   = { path = "/health", port = "5050" }
    "2181" = { path = "", port = "traffic-port" }
    "5050" = { path = "/health", port = "5050" }
    "8080" = { path = "/health", port = "5050" }
    "8181" = { path = "", port = "traffic-port" }
    "5044" = { path = "", port = "traffic-port" }
  }
}

resource "aws_lb" "inner" {
  name                             = local.lb_name["N"]
  load_balancer_type               = "network"
  internal                         = true
  subnets                          = var.private_subnet_ids
  security_groups                  = [aws_security_group.this["inner_lb"].id]
  enable_cross_zone_load_balancing = true
  tags                             = merge(local.tags, { Name = local.name["Inner"] })
}

resource "aws_lb_target_group" "inner" {
  for_each = local.inner

  name_prefix          = "dcosn-"
  vpc_id               = var.vpc_id
  protocol             = "TCP"
  port                 = tonumber(each.key)
  deregistration_delay = 30
  # A master that reaches itself this way would not know its own answer.
  preserve_client_ip = "false"
  tags               = merge(local.tags, { Name = "${local.name["Inner"]}-${each.key}" })

  health_check {
    protocol            = each.value.path == "" ? "TCP" : "HTTP"
    port                = each.value.port
    path                = each.value.path == "" ? null : each.value.path
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_lb_listener" "inner" {
  for_each = local.inner

  load_balancer_arn = aws_lb.inner.arn
  protocol          = "TCP"
  port              = tonumber(each.key)
  tags              = merge(local.tags, { Name = "${local.name["Inner"]}-${each.key}" })

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.inner[each.key].arn
  }
}

# For the world: what public agents serve.

resource "aws_lb" "public" {
  name                       = local.lb_name["P"]
  load_balancer_type         = "application"
  subnets                    = var.public_subnet_ids
  security_groups            = [aws_security_group.this["public_lb"].id]
  drop_invalid_header_fields = true
  tags                       = merge(local.tags, { Name = local.name["Public"] })
}

resource "aws_lb_target_group" "public" {
  name_prefix          = "dcosp-"
  vpc_id               = var.vpc_id
  protocol             = "HTTP"
  port                 = var.public_port
  deregistration_delay = 30
  tags                 = merge(local.tags, { Name = local.name["Public"] })

  health_check {
    port                = "9090"
    path                = var.public_health_path
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

resource "aws_lb_listener" "public" {
  load_balancer_arn = aws_lb.public.arn
  protocol          = "HTTPS"
  port              = 443
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = local.certificate_arn
  tags              = merge(local.tags, { Name = local.name["Public"] })

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.public.arn
  }
}

resource "aws_lb_listener" "redirect" {
  for_each = { master = aws_lb.master.arn, public = aws_lb.public.arn }

  load_balancer_arn = each.value
  protocol          = "HTTP"
  port              = 80
  tags              = merge(local.tags, { Name = "${each.key}-redirect" })

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
  for_each = local.hosts

  zone_id = data.aws_route53_zone.platform.zone_id
  name    = each.value
  type    = "A"

  alias {
    name                   = each.key == "tyk" ? aws_lb.public.dns_name : aws_lb.master.dns_name
    zone_id                = each.key == "tyk" ? aws_lb.public.zone_id : aws_lb.master.zone_id
    evaluate_target_health = true
  }
}

resource "aws_route53_record" "masters" {
  zone_id = data.aws_route53_zone.platform.zone_id
  name    = local.masters
  type    = "A"

  alias {
    name                   = aws_lb.inner.dns_name
    zone_id                = aws_lb.inner.zone_id
    evaluate_target_health = true
  }
}

resource "aws_cloudwatch_metric_alarm" "unhealthy" {
  for_each = {
    master = { lb = aws_lb.master.arn_suffix, group = aws_lb_target_group.master.arn_suffix, what = "A master does not answer on /health." }
    public = { lb = aws_lb.public.arn_suffix, group = aws_lb_target_group.public.arn_suffix, what = "marathon-lb of a public agent does not answer." }
  }

  alarm_name          = "${var.pre_tag}-${local.unit}-${each.key}-unhealthy-${var.post_tag}"
  alarm_description   = each.value.what
  namespace           = "AWS/ApplicationELB"
  metric_name         = "UnHealthyHostCount"
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = 5
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
  tags                = merge(local.tags, { Name = "${var.pre_tag}-${local.unit}-${each.key}-unhealthy-${var.post_tag}" })

  dimensions = {
    LoadBalancer = each.value.lb
    TargetGroup  = each.value.group
  }
}
