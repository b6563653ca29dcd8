# What the servers may do.

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "server" {
  statement {
    sid       = "FindNodes"
    actions   = ["ec2:DescribeAvailabilityZones", "ec2:DescribeInstances"]
    resources = ["*"]
  }

  statement {
    sid       = "ListFiles"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.files.arn]
  }

  statement {
    sid       = "ReadFiles"
    actions   = ["s3:GetObject"]
    resources = ["${aws_s3_bucket.files.arn}/*"]
  }

  dynamic "statement" {
    for_each = length(local.secret_arns) > 0 ? [local.secret_arns] : []

    content {
      sid       = "ReadOwnSecrets"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = statement.value
    }
  }

  dynamic "statement" {
    for_each = local.to_topic ? ["topic"] : []

    content {
      sid       = "SendAlerts"
      actions   = ["sns:Publish"]
      resources = [var.alarm_topic_arn]
    }
  }

  dynamic "statement" {
    for_each = var.kms_key_arn == "" ? [] : [var.kms_key_arn]

    content {
      sid       = "UseTheKey"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [statement.value]

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = [for service in ["s3", "secretsmanager", "sns"] : "${service}.${var.region}.amazonaws.com"]
      }
    }
  }
}

resource "aws_iam_role" "server" {
  name                 = format(local.name, local.unit)
  description          = "Monitoring servers"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  permissions_boundary = var.permissions_boundary_arn == "" ? null : var.permissions_boundary_arn
  tags                 = merge(local.tags, { Name = format(local.name, local.unit) })
}

resource "aws_iam_role_policy" "server" {
  name   = "watch"
  role   = aws_iam_role.server.id
  policy = data.aws_iam_policy_document.server.json
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

resource "aws_iam_role_policy" "session" {
  name   = "session"
  role   = aws_iam_role.server.id
  policy = data.aws_iam_policy_document.session.json
}

resource "aws_iam_instance_profile" "server" {
  name = format(local.name, local.unit)
  role = aws_iam_role.server.name
  tags = merge(local.tags, { Name = format(local.name, local.unit) })
}

# Who may reach them: people the pages, each server the other, both the exporters of the nodes.

locals {
  pages = merge({ prometheus = 9090, alertmanager = 9093 }, local.grafana ? { grafana = 3000 } : {})

  # Without clients, the whole VPC: VPN users come with an address of it.
  clients = length(var.client_security_group_ids) + length(var.client_cidrs) == 0 ? toset(["vpc"]) : var.client_cidrs
  client_pages = { for pair in setproduct(local.clients, keys(local.pages)) : "${pair[1]} from ${pair[0]}" => {
    client = pair[0]
    page   = pair[1]
  } }
  client_groups = { for pair in setproduct(range(length(var.client_security_group_ids)), keys(local.pages)) : "${pair[1]} from group ${pair[0]}" => {
    number = pair[0]
    page   = pair[1]
  } }

  between = {
    prometheus    = { protocol = "tcp", port = 9090 }
    alertmanager  = { protocol = "tcp", port = 9093 }
    cluster-tcp   = { protocol = "tcp", port = 9094 }
    cluster-udp   = { protocol = "udp", port = 9094 }
    node-exporter = { protocol = "tcp", port = 9100 }
  }

  node_ports = distinct(concat([9100], [for job in values(var.jobs) : job.port]))
  node_rules = { for pair in setproduct(range(length(var.node_security_group_ids)), local.node_ports) : "${pair[1]} of group ${pair[0]}" => {
    number = pair[0]
    port   = pair[1]
  } }
}

resource "aws_security_group" "server" {
  name        = format(local.name, local.unit)
  description = "Monitoring servers"
  vpc_id      = var.vpc_id
  tags        = merge(local.tags, { Name = format(local.name, local.unit) })
}

resource "aws_vpc_security_group_ingress_rule" "client" {
  for_each = local.client_pages

  security_group_id = aws_security_group.server.id
  description       = each.key
  cidr_ipv4         = each.value.client == "vpc" ? var.vpc_cidr : each.value.client
  ip_protocol       = "tcp"
  from_port         = local.pages[each.value.page]
  to_port           = local.pages[each.value.page]
  tags              = merge(local.tags, { Name = format(local.name, "${local.unit}-${each.value.page}") })
}

resource "aws_vpc_security_group_ingress_rule" "client_group" {
  for_each = local.client_groups

  security_group_id            = aws_security_group.server.id
  description                  = each.key
  referenced_security_group_id = var.client_security_group_ids[each.value.number]
  ip_protocol                  = "tcp"
  from_port                    = local.pages[each.value.page]
  to_port                      = local.pages[each.value.page]
  tags                         = merge(local.tags, { Name = format(local.name, "${local.unit}-${each.value.page}") })
}

resource "aws_vpc_security_group_ingress_rule" "between" {
  for_each = local.between

  security_group_id            = aws_security_group.server.id
  description                  = "${each.key} of the other server"
  referenced_security_group_id = aws_security_group.server.id
  ip_protocol                  = each.value.protocol
  from_port                    = each.value.port
  to_port                      = each.value.port
  tags                         = merge(local.tags, { Name = format(local.name, "${local.unit}-${each.key}") })
}

resource "aws_vpc_security_group_ingress_rule" "node" {
  for_each = local.node_rules

  security_group_id            = var.node_security_group_ids[each.value.number]
  description                  = "Monitoring scrapes"
  referenced_security_group_id = aws_security_group.server.id
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  tags                         = merge(local.tags, { Name = format(local.name, "${local.unit}-scrape-${each.value.port}") })
}

resource "aws_vpc_security_group_egress_rule" "server" {
  security_group_id = aws_security_group.server.id
  description       = "Everything out"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
  tags              = merge(local.tags, { Name = format(local.name, "${local.unit}-out") })
}
