# The VPC that everything else stands in: subnets, ways out, flow logs, alarms.
# The optional manager node is in manager.tf.

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
  unit = coalesce(var.unit, "network")
  name = "${var.pre_tag}-%s-${var.post_tag}" # format(local.name, "thing")
  tags = merge(var.tags, {
    Project     = var.project
    Environment = var.environment
    Cluster     = local.unit
    Service     = var.service
    Version     = var.version_tag
    "ngp:unit"  = local.unit
  })

  make_vpc = var.existing_vpc_id == ""
  known    = length(var.availability_zones) > 0 ? var.availability_zones : flatten(terraform_data.zones[*].input)
  zones    = local.make_vpc ? slice(local.known, 0, var.az_count) : []

  # Places of the subnets in the VPC: management 0, public 1 2, private 3 4, then a pair for each further zone,
  # so that a larger az_count moves no subnet that exists.
  public_places  = [1, 2, 5, 7]
  private_places = [3, 4, 6, 8]

  nat_count = !local.make_vpc ? 0 : { none = 0, single = 1, per_az = var.az_count }[var.nat_mode]

  vpc_id               = local.make_vpc ? aws_vpc.this[0].id : var.existing_vpc_id
  vpc_cidr             = local.make_vpc ? aws_vpc.this[0].cidr_block : data.aws_vpc.existing[0].cidr_block
  internet_gateway_id  = local.make_vpc ? aws_internet_gateway.this[0].id : var.existing_internet_gateway_id
  management_subnet_id = local.make_vpc ? aws_subnet.management[0].id : var.existing_management_subnet_id
  alarm_topic_arn      = var.alarm_topic_arn == "" ? aws_sns_topic.alarms[0].arn : var.alarm_topic_arn

  arn = "arn:${data.aws_partition.current.partition}"
}

data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

data "aws_availability_zones" "available" {
  count = local.make_vpc && length(var.availability_zones) == 0 ? 1 : 0

  state = "available"

  filter {
    name   = "opt-in-status" # no local zones
    values = ["opt-in-not-required"]
  }

}

# The region's zones in the order of the first apply. A zone that AWS takes off its list for a while, or adds to it, must not
# move the subnets of the others.
resource "terraform_data" "zones" {
  count = local.make_vpc && length(var.availability_zones) == 0 ? 1 : 0

  input = data.aws_availability_zones.available[0].names

  lifecycle {
    ignore_changes = [input]

    postcondition {
      condition     = length(self.input) >= var.az_count
      error_message = "The region had fewer availability zones than az_count asks for when the network was made: name those to use in availability_zones."
    }
  }
}

data "aws_vpc" "existing" {
  count = local.make_vpc ? 0 : 1

  id = var.existing_vpc_id
}

data "aws_subnet" "existing" {
  for_each = toset(local.make_vpc ? [] : concat([var.existing_management_subnet_id], var.existing_public_subnet_ids, var.existing_private_subnet_ids))

  id = each.key

  lifecycle {
    postcondition {
      condition     = self.vpc_id == var.existing_vpc_id
      error_message = "Subnet ${each.key} is of another VPC than existing_vpc_id."
    }
  }
}

resource "aws_vpc" "this" {
  count = local.make_vpc ? 1 : 0

  cidr_block           = var.vpc_cidr
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = merge(local.tags, { Name = format(local.name, local.unit) })
}

# The default group would let in everything that forgot to name a group: it gets no rules.
resource "aws_default_security_group" "this" {
  count = local.make_vpc ? 1 : 0

  vpc_id = aws_vpc.this[0].id
  tags   = merge(local.tags, { Name = format(local.name, "default-closed") })
}

resource "aws_internet_gateway" "this" {
  count = local.make_vpc ? 1 : 0

  vpc_id = aws_vpc.this[0].id
  tags   = merge(local.tags, { Name = format(local.name, local.unit) })
}

# Subnets. No public address by itself: what must be reached has an elastic IP or a load balancer.

resource "aws_subnet" "management" {
  count = local.make_vpc ? 1 : 0

  vpc_id            = aws_vpc.this[0].id
  cidr_block        = cidrsubnet(var.vpc_cidr, var.subnet_newbits, 0)
  availability_zone = local.zones[0]
  tags              = merge(local.tags, { Name = format(local.name, "management") })
}

resource "aws_subnet" "public" {
  count = length(local.zones)

  vpc_id            = aws_vpc.this[0].id
  cidr_block        = cidrsubnet(var.vpc_cidr, var.subnet_newbits, local.public_places[count.index])
  availability_zone = local.zones[count.index]
  tags              = merge(local.tags, { Name = format(local.name, "public-${count.index + 1}") })
}

resource "aws_subnet" "private" {
  count = length(local.zones)

  vpc_id            = aws_vpc.this[0].id
  cidr_block        = cidrsubnet(var.vpc_cidr, var.subnet_newbits, local.private_places[count.index])
  availability_zone = local.zones[count.index]
  tags              = merge(local.tags, { Name = format(local.name, "private-${count.index + 1}") })
}

# Routes.

resource "aws_route_table" "management" {
  count = local.make_vpc ? 1 : 0

  vpc_id = aws_vpc.this[0].id
  tags   = merge(local.tags, { Name = format(local.name, "management") })
}

resource "aws_route_table" "public" {
  count = local.make_vpc ? 1 : 0

  vpc_id = aws_vpc.this[0].id
  tags   = merge(local.tags, { Name = format(local.name, "public") })
}

# One for each zone whatever nat_mode says, so that a change of it moves routes, not tables.
resource "aws_route_table" "private" {
  count = length(local.zones)

  vpc_id = aws_vpc.this[0].id
  tags   = merge(local.tags, { Name = format(local.name, "private-${count.index + 1}") })
}

resource "aws_route" "management_internet" {
  count = local.make_vpc ? 1 : 0

  route_table_id         = aws_route_table.management[0].id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this[0].id
}

resource "aws_route" "public_internet" {
  count = local.make_vpc ? 1 : 0

  route_table_id         = aws_route_table.public[0].id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this[0].id
}

resource "aws_route" "private_internet" {
  count = local.nat_count == 0 ? 0 : length(local.zones)

  route_table_id         = aws_route_table.private[count.index].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[min(count.index, local.nat_count - 1)].id
}

resource "aws_route_table_association" "management" {
  count = local.make_vpc ? 1 : 0

  subnet_id      = aws_subnet.management[0].id
  route_table_id = aws_route_table.management[0].id
}

resource "aws_route_table_association" "public" {
  count = length(local.zones)

  subnet_id      = aws_subnet.public[count.index].id
  route_table_id = aws_route_table.public[0].id
}

resource "aws_route_table_association" "private" {
  count = length(local.zones)

  subnet_id      = aws_subnet.private[count.index].id
  route_table_id = aws_route_table.private[count.index].id
}

resource "aws_eip" "nat" {
  count = local.nat_count

  domain = "vpc"
  tags   = merge(local.tags, { Name = format(local.name, "nat-${count.index + 1}") })

  depends_on = [aws_internet_gateway.this]
}

resource "aws_nat_gateway" "this" {
  count = local.nat_count

  allocation_id = aws_eip.nat[count.index].id
  subnet_id     = aws_subnet.public[count.index].id
  tags          = merge(local.tags, { Name = format(local.name, "nat-${count.index + 1}") })

  depends_on = [aws_internet_gateway.this]
}

# Ways to AWS that need no internet. Each costs by the hour and zone, so none is made that nobody asked for.

locals {
  common_services  = ["ec2messages", "ecr.api", "ecr.dkr", "logs", "secretsmanager", "ssm", "ssmmessages"]
  runtime_services = ["autoscaling", "ec2", "eks", "eks-auth", "elasticloadbalancing", "kms", "monitoring", "sts"]
  endpoint_services = length(var.endpoint_services) > 0 ? sort(var.endpoint_services) : concat(
    local.common_services, var.nat_mode == "none" ? local.runtime_services : []
  )
}

resource "aws_vpc_endpoint" "s3" {
  count = local.make_vpc ? 1 : 0

  vpc_id            = aws_vpc.this[0].id
  service_name      = "com.amazonaws.${var.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = concat(aws_route_table.management[*].id, aws_route_table.public[*].id, aws_route_table.private[*].id)
  tags              = merge(local.tags, { Name = format(local.name, "s3") })
}

resource "aws_security_group" "endpoints" {
  count = local.make_vpc && var.private_endpoints ? 1 : 0

  name        = format(local.name, "${local.unit}-endpoints")
  description = "Interface endpoints of AWS services"
  vpc_id      = aws_vpc.this[0].id
  tags        = merge(local.tags, { Name = format(local.name, "${local.unit}-endpoints") })
}

resource "aws_vpc_security_group_ingress_rule" "endpoints" {
  count = local.make_vpc && var.private_endpoints ? 1 : 0

  security_group_id = aws_security_group.endpoints[0].id
  description       = "HTTPS from the VPC"
  cidr_ipv4         = var.vpc_cidr
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  tags              = merge(local.tags, { Name = format(local.name, "${local.unit}-endpoints") })
}

resource "aws_vpc_endpoint" "interface" {
  for_each = toset(local.make_vpc && var.private_endpoints ? local.endpoint_services : [])

  vpc_id              = aws_vpc.this[0].id
  service_name        = "com.amazonaws.${var.region}.${each.key}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = aws_subnet.private[*].id
  security_group_ids  = aws_security_group.endpoints[*].id
  tags                = merge(local.tags, { Name = format(local.name, replace(each.key, ".", "-")) })
}

# Flow logs.

resource "aws_cloudwatch_log_group" "flow" {
  count = local.make_vpc && var.flow_logs ? 1 : 0

  name              = "/${var.project}/${var.environment}/${local.unit}/flow"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn == "" ? null : var.kms_key_arn
  tags              = merge(local.tags, { Name = format(local.name, "flow-logs") })
}

data "aws_iam_policy_document" "flow_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["vpc-flow-logs.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

data "aws_iam_policy_document" "flow" {
  count = local.make_vpc && var.flow_logs ? 1 : 0

  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"]
    resources = [aws_cloudwatch_log_group.flow[0].arn, "${aws_cloudwatch_log_group.flow[0].arn}:*"]
  }
}

resource "aws_iam_role" "flow" {
  count = local.make_vpc && var.flow_logs ? 1 : 0

  name                 = format(local.name, "${local.unit}-flow-logs")
  description          = "VPC flow logs write to their log group"
  assume_role_policy   = data.aws_iam_policy_document.flow_trust.json
  permissions_boundary = var.permissions_boundary_arn == "" ? null : var.permissions_boundary_arn
  tags                 = merge(local.tags, { Name = format(local.name, "${local.unit}-flow-logs") })
}

resource "aws_iam_role_policy" "flow" {
  count = local.make_vpc && var.flow_logs ? 1 : 0

  name   = "write-flow-logs"
  role   = aws_iam_role.flow[0].id
  policy = data.aws_iam_policy_document.flow[0].json
}

resource "aws_flow_log" "this" {
  count = local.make_vpc && var.flow_logs ? 1 : 0

  vpc_id          = aws_vpc.this[0].id
  traffic_type    = "ALL"
  iam_role_arn    = aws_iam_role.flow[0].arn
  log_destination = aws_cloudwatch_log_group.flow[0].arn
  tags            = merge(local.tags, { Name = format(local.name, "flow-logs") })
}

# Access for administrators.

resource "aws_key_pair" "this" {
  count = var.public_key == "" ? 0 : 1

  key_name   = format(local.name, local.unit)
  public_key = var.public_key
  tags       = merge(local.tags, { Name = format(local.name, local.unit) })
}

resource "aws_security_group" "management" {
  name        = format(local.name, "${local.unit}-management")
  description = "Management nodes"
  vpc_id      = local.vpc_id
  tags        = merge(local.tags, { Name = format(local.name, "${local.unit}-management") })
}

resource "aws_vpc_security_group_ingress_rule" "management_ssh" {
  for_each = toset(var.admin_cidrs)

  security_group_id = aws_security_group.management.id
  description       = "SSH from administrators"
  cidr_ipv4         = each.key
  ip_protocol       = "tcp"
  from_port         = 22
  to_port           = 22
  tags              = merge(local.tags, { Name = format(local.name, "management-ssh") })
}

resource "aws_vpc_security_group_ingress_rule" "management_extra" {
  for_each = var.extra_ingress

  security_group_id = aws_security_group.management.id
  description       = each.key
  cidr_ipv4         = each.value.cidr
  ip_protocol       = each.value.protocol
  from_port         = each.value.from_port
  to_port           = each.value.to_port
  tags              = merge(local.tags, { Name = format(local.name, "management-${each.key}") })
}

resource "aws_vpc_security_group_egress_rule" "management" {
  security_group_id = aws_security_group.management.id
  description       = "Everything out"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
  tags              = merge(local.tags, { Name = format(local.name, "management-out") })
}

# Alarms: one topic for the platform, and AWS's own notices of scheduled maintenance as a second source.

resource "aws_sns_topic" "alarms" {
  count = var.alarm_topic_arn == "" ? 1 : 0

  name              = format(local.name, "${local.unit}-alarms")
  kms_master_key_id = var.kms_key_arn == "" ? null : var.kms_key_arn
  tags              = merge(local.tags, { Name = format(local.name, "${local.unit}-alarms") })
}

data "aws_iam_policy_document" "alarms" {
  count = var.alarm_topic_arn == "" ? 1 : 0

  statement {
    sid       = "AlarmsOfThisAccount"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alarms[0].arn]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com", "backup.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }

  # No condition here: EventBridge does not say to a topic for which account it publishes, so with one nothing arrives.
  statement {
    sid       = "Events"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alarms[0].arn]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }
  }

  statement {
    sid       = "OnlyByTls"
    effect    = "Deny"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alarms[0].arn]

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

resource "aws_sns_topic_policy" "alarms" {
  count = var.alarm_topic_arn == "" ? 1 : 0

  arn    = aws_sns_topic.alarms[0].arn
  policy = data.aws_iam_policy_document.alarms[0].json
}

resource "aws_sns_topic_subscription" "alarms" {
  for_each = toset(var.alarm_topic_arn == "" ? var.alarm_emails : [])

  topic_arn = aws_sns_topic.alarms[0].arn
  protocol  = "email"
  endpoint  = each.key
}

resource "aws_cloudwatch_event_rule" "maintenance" {
  name        = format(local.name, "${local.unit}-maintenance")
  description = "AWS announces maintenance of instances"
  tags        = merge(local.tags, { Name = format(local.name, "${local.unit}-maintenance") })

  event_pattern = jsonencode({
    source      = ["aws.health"]
    detail-type = ["AWS Health Event"]
    detail      = { service = ["EC2"], eventTypeCategory = ["scheduledChange"] }
  })
}

resource "aws_cloudwatch_event_target" "maintenance" {
  rule      = aws_cloudwatch_event_rule.maintenance.name
  target_id = "alarms"
  arn       = local.alarm_topic_arn
}

# Ports of a gateway run out long before it is slow: connections then fail, and nothing else tells.
resource "aws_cloudwatch_metric_alarm" "nat" {
  count = local.nat_count

  alarm_name          = format(local.name, "${local.unit}-nat-${count.index + 1}-ports")
  alarm_description   = "NAT gateway ${count.index + 1}: connections fail because no port is left"
  namespace           = "AWS/NATGateway"
  metric_name         = "ErrorPortAllocation"
  dimensions          = { NatGatewayId = aws_nat_gateway.this[count.index].id }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = [local.alarm_topic_arn]
  ok_actions          = [local.alarm_topic_arn]
  tags                = merge(local.tags, { Name = format(local.name, "${local.unit}-nat-${count.index + 1}-ports") })
}
