mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
  mock_data "aws_route53_zone" {
    defaults = { zone_id = "Z0123456789" }
  }
  mock_resource "aws_acm_certificate" {
    defaults = {
      arn = "arn:aws:acm:eu-central-1:123456789012:certificate/made"
      domain_validation_options = [{
        domain_name           = "shop.stage.example.com"
        resource_record_name  = "_proof.shop.stage.example.com"
        resource_record_type  = "CNAME"
        resource_record_value = "_proof.acm.example.net"
      }]
    }
  }
  mock_resource "aws_acm_certificate_validation" {
    defaults = { certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/made" }
  }
  mock_resource "aws_lb" {
    defaults = {
      arn        = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/made/0"
      arn_suffix = "app/made/0"
      dns_name   = "made.elb.example.net"
      zone_id    = "Z1"
    }
  }
  mock_resource "aws_lb_target_group" {
    defaults = {
      arn        = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/made/0"
      arn_suffix = "targetgroup/made/0"
    }
  }
  mock_resource "aws_lb_listener" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/made/0/1" }
  }
  mock_resource "aws_security_group" {
    defaults = { id = "sg-lb" }
  }
  mock_resource "aws_s3_bucket" {
    defaults = { id = "logs", arn = "arn:aws:s3:::logs" }
  }
}

variables {
  project            = "shop"
  environment        = "stage"
  region             = "eu-central-1"
  domain_name        = "stage.example.com"
  unit               = "alb-shop"
  pre_tag            = "shop-a"
  post_tag           = "stage"
  vpc_id             = "vpc-0123"
  vpc_cidr           = "10.0.0.0/16"
  public_subnet_ids  = ["subnet-1", "subnet-2"]
  private_subnet_ids = ["subnet-3", "subnet-4"]
  alarm_topic_arn    = "arn:aws:sns:eu-central-1:123456789012:alarms"
  hostname           = "shop"
  service_port       = 8080
}

run "application_answers_on_its_name_by_tls" {
  command = apply

  assert {
    condition     = output.alb_url == "https://shop.stage.example.com" && aws_route53_record.this.name == "shop.stage.example.com" && one(aws_route53_record.this.alias).name == "made.elb.example.net"
    error_message = "The name leads to the load balancer."
  }
  assert {
    condition     = aws_lb_listener.https.ssl_policy == "ELBSecurityPolicy-TLS13-1-2-2021-06" && aws_lb_listener.https.certificate_arn == "arn:aws:acm:eu-central-1:123456789012:certificate/made" && aws_route53_record.proof[0].name == "_proof.shop.stage.example.com"
    error_message = "A certificate is made and proved."
  }
  assert {
    condition     = aws_lb_listener.http.default_action[0].redirect[0].port == "443" && aws_lb_listener.http.default_action[0].redirect[0].status_code == "HTTP_301"
    error_message = "Plain HTTP is sent on."
  }
  assert {
    condition     = aws_lb.this.name == "shop-a-alb-shop-stage" && aws_lb.this.drop_invalid_header_fields && !aws_lb.this.internal && toset(aws_lb.this.subnets) == toset(["subnet-1", "subnet-2"])
    error_message = "It stands in the public subnets."
  }
  assert {
    condition     = aws_lb_target_group.this.port == 8080 && aws_lb_target_group.this.health_check[0].path == "/" && aws_lb_target_group.this.health_check[0].port == "traffic-port" && aws_lb_target_group.this.name_prefix == "albsh-"
    error_message = "It asks the application's port."
  }
  assert {
    condition     = toset(keys(aws_vpc_security_group_ingress_rule.client)) == toset(["http from 0.0.0.0/0", "https from 0.0.0.0/0"]) && length(aws_vpc_security_group_ingress_rule.vpc) == 0
    error_message = "The world may come, to 80 and 443."
  }
  assert {
    condition     = keys(aws_vpc_security_group_egress_rule.target) == ["8080"] && aws_vpc_security_group_egress_rule.target["8080"].cidr_ipv4 == "10.0.0.0/16"
    error_message = "It goes to the application's port in the VPC, and nowhere else."
  }
  assert {
    condition     = length(aws_s3_bucket.logs) == 0 && length(aws_lb.this.access_logs) == 0 && output.alb_logs_bucket == null
    error_message = "Access logs are an option."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["unhealthy"].dimensions["TargetGroup"] == "targetgroup/made/0" && toset(aws_cloudwatch_metric_alarm.this["errors"].alarm_actions) == toset(["arn:aws:sns:eu-central-1:123456789012:alarms"])
    error_message = "Alarms go to the topic."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["balancer"].dimensions == tomap({ LoadBalancer = "app/made/0" }) && aws_cloudwatch_metric_alarm.this["balancer"].metric_name == "HTTPCode_ELB_5XX_Count"
    error_message = "That nobody answers at all is told too."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["certificate"].dimensions == tomap({ CertificateArn = "arn:aws:acm:eu-central-1:123456789012:certificate/made" }) && aws_cloudwatch_metric_alarm.this["certificate"].comparison_operator == "LessThanThreshold"
    error_message = "A certificate that is not renewed is told before it ends."
  }
}

run "groups_and_instances_serve_it" {
  command = apply

  variables {
    autoscaling_group_names   = ["workers"]
    instance_ids              = ["i-1", "i-2"]
    target_security_group_ids = ["sg-app"]
    health_path               = "/health"
    health_port               = 9090
    health_codes              = "200-299"
    sticky_seconds            = 60
  }

  assert {
    condition     = aws_autoscaling_attachment.this[0].autoscaling_group_name == "workers" && aws_lb_target_group_attachment.this[1].target_id == "i-2" && aws_lb_target_group_attachment.this[0].port == 8080
    error_message = "Both join the target group."
  }
  assert {
    condition     = toset(keys(aws_vpc_security_group_ingress_rule.target)) == toset(["0-8080", "0-9090"]) && aws_vpc_security_group_ingress_rule.target["0-9090"].security_group_id == "sg-app" && aws_vpc_security_group_ingress_rule.target["0-9090"].referenced_security_group_id == "sg-lb"
    error_message = "Their group lets the load balancer in, to both ports."
  }
  assert {
    condition     = aws_lb_target_group.this.health_check[0].port == "9090" && aws_lb_target_group.this.health_check[0].matcher == "200-299" && aws_lb_target_group.this.stickiness[0].enabled
    error_message = "Health check and stickiness are as chosen."
  }
}

run "a_given_certificate_is_used" {
  command   = apply
  state_key = "given"

  variables {
    certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/given"
  }

  assert {
    condition     = aws_lb_listener.https.certificate_arn == "arn:aws:acm:eu-central-1:123456789012:certificate/given" && length(aws_acm_certificate.this) == 0 && length(aws_route53_record.proof) == 0
    error_message = "None is made."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["certificate"].dimensions["CertificateArn"] == "arn:aws:acm:eu-central-1:123456789012:certificate/given"
    error_message = "It is the given one whose end is told."
  }
}

run "a_certificate_of_iam_has_no_end_that_could_be_told" {
  command = plan

  variables {
    certificate_arn = "arn:aws:iam::123456789012:server-certificate/given"
  }

  assert {
    condition     = toset(keys(aws_cloudwatch_metric_alarm.this)) == toset(["balancer", "errors", "unhealthy"])
    error_message = "IAM counts no days."
  }
}

run "a_name_too_long_for_a_certificate_is_refused" {
  command = plan

  variables {
    hostname = "an-application-with-a-name-that-is-longer-than-it-ought-to-be"
  }

  expect_failures = [aws_acm_certificate.this]
}

run "an_internal_one_is_reached_from_the_vpc" {
  command   = apply
  state_key = "internal"

  variables {
    internal      = true
    ingress_cidrs = ["10.8.0.0/16"]
  }

  assert {
    condition     = aws_lb.this.internal && toset(aws_lb.this.subnets) == toset(["subnet-3", "subnet-4"]) && output.alb_public_url == null
    error_message = "It stands in the private subnets."
  }
  assert {
    condition     = toset(keys(aws_vpc_security_group_ingress_rule.vpc)) == toset(["http", "https"]) && aws_vpc_security_group_ingress_rule.vpc["https"].cidr_ipv4 == "10.0.0.0/16" && toset(keys(aws_vpc_security_group_ingress_rule.client)) == toset(["http from 10.8.0.0/16", "https from 10.8.0.0/16"])
    error_message = "The VPC and named networks may come, the world may not."
  }
}

run "access_logs_have_a_bucket_with_an_end" {
  command   = apply
  state_key = "logs"

  variables {
    access_logs      = true
    access_logs_days = 30
  }

  assert {
    condition     = aws_lb.this.access_logs[0].enabled && aws_lb.this.access_logs[0].bucket == "logs" && aws_lb.this.access_logs[0].prefix == "alb-shop" && output.alb_logs_bucket == "logs"
    error_message = "Lines go to the bucket."
  }
  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.logs[0].rule[0].expiration[0].days == 30 && aws_s3_bucket_public_access_block.logs[0].restrict_public_buckets
    error_message = "They end, and nobody else reads them."
  }
  assert {
    condition     = startswith(aws_s3_bucket.logs[0].bucket, "shop-a-alb-shop-stage-") && one(data.aws_iam_policy_document.logs[0].statement[0].principals).identifiers == toset(["logdelivery.elasticloadbalancing.amazonaws.com"])
    error_message = "The load balancers' service writes, into a bucket of this unit."
  }
}

run "a_second_one_has_other_names" {
  command = plan

  variables {
    unit     = "front-door-of-the-whole-shop"
    hostname = ""
  }

  assert {
    condition     = length(aws_lb.this.name) <= 32 && startswith(aws_lb.this.name, "lb-shop-a-front-door-of-")
    error_message = "A long name is cut, with a hash of the whole."
  }
  assert {
    condition     = aws_route53_record.this.name == "front-door-of-the-whole-shop.stage.example.com"
    error_message = "Without a host name the unit's is used."
  }
}

run "what_aws_would_refuse_is_refused" {
  command = plan

  variables {
    public_subnet_ids  = ["subnet-1"]
    private_subnet_ids = ["subnet-3"]
    hostname           = "Shop_1"
    service_port       = 0
    health_path        = "health"
    health_codes       = "ok"
    certificate_arn    = "made"
    ssl_policy         = "ELBSecurityPolicy-2016-08"
    ingress_cidrs      = ["everybody"]
    sticky_seconds     = -1
  }

  expect_failures = [
    var.public_subnet_ids, var.private_subnet_ids, var.hostname, var.service_port, var.health_path, var.health_codes,
    var.certificate_arn, var.ssl_policy, var.ingress_cidrs, var.sticky_seconds,
  ]
}

run "a_rule_that_would_be_there_twice_is_refused" {
  command = plan

  variables {
    internal      = true
    ingress_cidrs = ["10.9.0.0/16", "10.0.0.0/16"]
    vpc_cidr      = "10.0.0.0/16"
  }

  expect_failures = [var.ingress_cidrs]
}
