# Who may reach whom (security groups), and who may do what (roles).

resource "aws_security_group" "domain" {
  count = local.in_vpc

  name_prefix = "${local.name}-domain-"
  description = "Domain ${local.domain}"
  vpc_id      = var.vpc_id
  tags        = merge(local.tags, { Name = "${local.name}-domain" })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_security_group" "lb" {
  count = local.has_collectors

  name_prefix = "${local.name}-lb-"
  description = "Load balancer of the collectors of ${local.domain}"
  vpc_id      = var.vpc_id
  tags        = merge(local.tags, { Name = "${local.name}-lb" })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_security_group" "collector" {
  count = local.has_collectors

  name_prefix = "${local.name}-collector-"
  description = "Collectors of ${local.domain}"
  vpc_id      = var.vpc_id
  tags        = merge(local.tags, { Name = "${local.name}-collector" })

  lifecycle {
    create_before_destroy = true
  }
}

# The same clients reach the domain (443) and the collectors (5044).
locals {
  doors = merge(
    local.in_vpc == 1 ? { domain = { port = 443, group_id = aws_security_group.domain[0].id } } : {},
    local.has_collectors == 1 ? { collectors = { port = 5044, group_id = aws_security_group.lb[0].id } } : {},
  )
  door_names  = compact([local.in_vpc == 1 ? "domain" : "", local.has_collectors == 1 ? "collectors" : ""])
  vpc_may     = length(var.client_security_group_ids) == 0 && length(var.client_cidrs) == 0
  group_doors = { for pair in setproduct(local.door_names, range(length(var.client_security_group_ids))) : "${pair[0]}-${pair[1]}" => { door = pair[0], at = pair[1] } }
  cidr_doors  = { for pair in setproduct(local.door_names, var.client_cidrs) : "${pair[0]} from ${pair[1]}" => { door = pair[0], cidr = pair[1] } }
}

resource "aws_vpc_security_group_ingress_rule" "group" {
  for_each = local.group_doors

  security_group_id            = local.doors[each.value.door].group_id
  description                  = "Clients, from a group"
  referenced_security_group_id = var.client_security_group_ids[each.value.at]
  ip_protocol                  = "tcp"
  from_port                    = local.doors[each.value.door].port
  to_port                      = local.doors[each.value.door].port
  tags                         = merge(local.tags, { Name = "${local.name}-client" })
}

resource "aws_vpc_security_group_ingress_rule" "network" {
  for_each = local.cidr_doors

  security_group_id = local.doors[each.value.door].group_id
  description       = "Clients, from a network"
  cidr_ipv4         = each.value.cidr
  ip_protocol       = "tcp"
  from_port         = local.doors[each.value.door].port
  to_port           = local.doors[each.value.door].port
  tags              = merge(local.tags, { Name = "${local.name}-client" })
}

resource "aws_vpc_security_group_ingress_rule" "vpc" {
  for_each = toset(local.vpc_may ? local.door_names : [])

  security_group_id = local.doors[each.key].group_id
  description       = "Clients, from the VPC"
  cidr_ipv4         = var.vpc_cidr
  ip_protocol       = "tcp"
  from_port         = local.doors[each.key].port
  to_port           = local.doors[each.key].port
  tags              = merge(local.tags, { Name = "${local.name}-client" })
}

resource "aws_vpc_security_group_ingress_rule" "domain_collector" {
  count = local.in_vpc * local.has_collectors

  security_group_id            = aws_security_group.domain[0].id
  description                  = "Collectors"
  referenced_security_group_id = aws_security_group.collector[0].id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  tags                         = merge(local.tags, { Name = "${local.name}-collector" })
}

resource "aws_vpc_security_group_egress_rule" "lb" {
  count = local.has_collectors

  security_group_id            = aws_security_group.lb[0].id
  description                  = "Collectors"
  referenced_security_group_id = aws_security_group.collector[0].id
  ip_protocol                  = "tcp"
  from_port                    = 5044
  to_port                      = 5044
  tags                         = merge(local.tags, { Name = "${local.name}-collector" })
}

resource "aws_vpc_security_group_ingress_rule" "collector" {
  count = local.has_collectors

  security_group_id            = aws_security_group.collector[0].id
  description                  = "Logs, from the load balancer"
  referenced_security_group_id = aws_security_group.lb[0].id
  ip_protocol                  = "tcp"
  from_port                    = 5044
  to_port                      = 5044
  tags                         = merge(local.tags, { Name = "${local.name}-logs" })
}

resource "aws_vpc_security_group_egress_rule" "collector" {
  for_each = local.has_collectors == 1 ? { http = 80, https = 443 } : {}

  security_group_id = aws_security_group.collector[0].id
  description       = "Packages, AWS and the domain"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
  tags              = merge(local.tags, { Name = "${local.name}-${each.key}" })
}

# The master of the domain: whoever is one settles what the others may do there.

data "aws_iam_policy_document" "assume_master" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type = "AWS"
      identifiers = concat(
        length(var.master_principal_arns) > 0 ? var.master_principal_arns : ["arn:${local.partition}:iam::${local.account_id}:root"],
        var.collector_settles ? aws_iam_role.collector[*].arn : [],
      )
    }
  }
}

data "aws_iam_policy_document" "master" {
  statement {
    sid       = "SpeakToTheDomain"
    actions   = ["es:ESHttpDelete", "es:ESHttpGet", "es:ESHttpHead", "es:ESHttpPatch", "es:ESHttpPost", "es:ESHttpPut"]
    resources = ["${local.domain_arn}/*"]
  }

  statement {
    sid       = "GiveTheDomainItsSnapshotRole"
    actions   = ["iam:PassRole"]
    resources = [aws_iam_role.snapshots.arn]
  }
}

resource "aws_iam_role" "master" {
  name                 = "${local.name}-master"
  assume_role_policy   = data.aws_iam_policy_document.assume_master.json
  permissions_boundary = local.boundary_arn
  tags                 = merge(local.tags, { Name = "${local.name}-master" })
}

resource "aws_iam_role_policy" "master" {
  name   = "elk-master"
  role   = aws_iam_role.master.id
  policy = data.aws_iam_policy_document.master.json
}

# The collectors.

data "aws_iam_policy_document" "assume_collector" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "collector" {
  statement {
    sid       = "WriteLogs"
    actions   = ["es:ESHttpGet", "es:ESHttpHead", "es:ESHttpPost", "es:ESHttpPut"]
    resources = ["${local.domain_arn}/*"]
  }

  dynamic "statement" {
    for_each = var.collector_settles ? ["settles"] : []

    content {
      sid       = "SettleTheDomain"
      actions   = ["sts:AssumeRole"]
      resources = [aws_iam_role.master.arn]
    }
  }
}

resource "aws_iam_role" "collector" {
  count = local.has_collectors

  name                 = "${local.name}-collector"
  assume_role_policy   = data.aws_iam_policy_document.assume_collector.json
  permissions_boundary = local.boundary_arn
  tags                 = merge(local.tags, { Name = "${local.name}-collector" })
}

resource "aws_iam_role_policy" "collector" {
  count = local.has_collectors

  name   = "elk-collector"
  role   = aws_iam_role.collector[0].id
  policy = data.aws_iam_policy_document.collector.json
}

# What the Systems Manager's agent does: sessions, commands, associations, inventory. AWS's own policy for it
# (AmazonSSMManagedInstanceCore) also reads every parameter of the account.
data "aws_iam_policy_document" "session" {
  statement {
    sid = "Sessions"
    actions = [
      "ssmmessages:CreateControlChannel",
      "ssmmessages:CreateDataChannel",
      "ssmmessages:OpenControlChannel",
      "ssmmessages:OpenDataChannel",
    ]
    resources = ["*"]
  }

  statement {
    sid = "Commands"
    actions = [
      "ec2messages:AcknowledgeMessage",
      "ec2messages:DeleteMessage",
      "ec2messages:FailMessage",
      "ec2messages:GetEndpoint",
      "ec2messages:GetMessages",
      "ec2messages:SendReply",
    ]
    resources = ["*"]
  }

  statement {
    sid = "SayWhatIsHere"
    actions = [
      "ssm:DescribeAssociation",
      "ssm:DescribeDocument",
      "ssm:GetDeployablePatchSnapshotForInstance",
      "ssm:GetDocument",
      "ssm:GetManifest",
      "ssm:ListAssociations",
      "ssm:ListInstanceAssociations",
      "ssm:PutComplianceItems",
      "ssm:PutConfigurePackageResult",
      "ssm:PutInventory",
      "ssm:UpdateAssociationStatus",
      "ssm:UpdateInstanceAssociationStatus",
      "ssm:UpdateInstanceInformation",
    ]
    resources = ["*"]
  }
}

resource "aws_iam_role_policy" "collector_session" {
  count = local.has_collectors

  name   = "session"
  role   = aws_iam_role.collector[0].id
  policy = data.aws_iam_policy_document.session.json
}

resource "aws_iam_instance_profile" "collector" {
  count = local.has_collectors

  name = "${local.name}-collector"
  role = aws_iam_role.collector[0].name
  tags = merge(local.tags, { Name = "${local.name}-collector" })
}
