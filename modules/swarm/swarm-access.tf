# Who may reach whom (security groups), and what a node may do (roles).

resource "aws_security_group" "lb" {
  name_prefix = "${local.lb_name}-lb-"
  description = "Load balancer of the Swarm cluster"
  vpc_id      = var.vpc_id
  tags        = merge(local.tags, { Name = local.name["LB"] })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "lb_http" {
  for_each = var.ingress_cidrs

  security_group_id = aws_security_group.lb.id
  description       = "HTTP, sent on to HTTPS"
  cidr_ipv4         = each.key
  ip_protocol       = "tcp"
  from_port         = 80
  to_port           = 80
  tags              = merge(local.tags, { Name = "http" })
}

resource "aws_vpc_security_group_ingress_rule" "lb_https" {
  for_each = var.ingress_cidrs

  security_group_id = aws_security_group.lb.id
  description       = "HTTPS"
  cidr_ipv4         = each.key
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  tags              = merge(local.tags, { Name = "https" })
}

resource "aws_vpc_security_group_egress_rule" "lb_router" {
  security_group_id            = aws_security_group.lb.id
  description                  = "Router on the managers"
  referenced_security_group_id = aws_security_group.manager.id
  ip_protocol                  = "tcp"
  from_port                    = 80
  to_port                      = 80
  tags                         = merge(local.tags, { Name = "router" })
}

resource "aws_security_group" "node" {
  name_prefix = "${local.lb_name}-node-"
  description = "Every node of the Swarm cluster"
  vpc_id      = var.vpc_id
  tags        = merge(local.tags, { Name = local.name["Node"] })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_security_group" "manager" {
  name_prefix = "${local.lb_name}-manager-"
  description = "Managers of the Swarm cluster"
  vpc_id      = var.vpc_id
  tags        = merge(local.tags, { Name = local.name["Manager"] })

  lifecycle {
    create_before_destroy = true
  }
}

locals {
  node_ports = {
    gossip_tcp = { protocol = "tcp", port = 7946, description = "Swarm gossip" }
    gossip_udp = { protocol = "udp", port = 7946, description = "Swarm gossip" }
    vxlan      = { protocol = "udp", port = 4789, description = "Overlay networks" }
  }
}

resource "aws_vpc_security_group_ingress_rule" "node" {
  for_each = local.node_ports

  security_group_id            = aws_security_group.node.id
  description                  = each.value.description
  referenced_security_group_id = aws_security_group.node.id
  ip_protocol                  = each.value.protocol
  from_port                    = each.value.port
  to_port                      = each.value.port
  tags                         = merge(local.tags, { Name = replace(each.key, "_", "-") })
}

resource "aws_vpc_security_group_ingress_rule" "node_esp" {
  security_group_id            = aws_security_group.node.id
  description                  = "Encrypted overlay networks (ESP)"
  referenced_security_group_id = aws_security_group.node.id
  ip_protocol                  = "50"
  from_port                    = 0
  to_port                      = 0
  tags                         = merge(local.tags, { Name = "esp" })

  # ESP has no ports: what AWS answers for them means nothing.
  lifecycle {
    ignore_changes = [from_port, to_port]
  }
}

resource "aws_vpc_security_group_ingress_rule" "node_ssh" {
  count = var.ssh_from_management ? 1 : 0

  security_group_id            = aws_security_group.node.id
  description                  = "SSH from the management network"
  referenced_security_group_id = var.management_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 22
  to_port                      = 22
  tags                         = merge(local.tags, { Name = "ssh" })
}

resource "aws_vpc_security_group_egress_rule" "node" {
  security_group_id = aws_security_group.node.id
  description       = "Packages, images, AWS"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
  tags              = merge(local.tags, { Name = "all" })
}

resource "aws_vpc_security_group_ingress_rule" "manager_control" {
  security_group_id            = aws_security_group.manager.id
  description                  = "Swarm control plane"
  referenced_security_group_id = aws_security_group.node.id
  ip_protocol                  = "tcp"
  from_port                    = 2377
  to_port                      = 2377
  tags                         = merge(local.tags, { Name = "control" })
}

resource "aws_vpc_security_group_ingress_rule" "manager_router" {
  security_group_id            = aws_security_group.manager.id
  description                  = "Router, from the load balancer"
  referenced_security_group_id = aws_security_group.lb.id
  ip_protocol                  = "tcp"
  from_port                    = 80
  to_port                      = 80
  tags                         = merge(local.tags, { Name = "router" })
}

resource "aws_security_group" "efs" {
  count = var.efs_enabled ? 1 : 0

  name_prefix = "${local.lb_name}-efs-"
  description = "Shared file system of the Swarm cluster"
  vpc_id      = var.vpc_id
  tags        = merge(local.tags, { Name = local.name["EFS"] })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "efs" {
  count = var.efs_enabled ? 1 : 0

  security_group_id            = aws_security_group.efs[0].id
  description                  = "NFS from the nodes"
  referenced_security_group_id = aws_security_group.node.id
  ip_protocol                  = "tcp"
  from_port                    = 2049
  to_port                      = 2049
  tags                         = merge(local.tags, { Name = "nfs" })
}

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

locals {
  # The groups' names, not their ARNs: those are known once there are managers.
  worker_groups = "arn:${local.partition}:autoscaling:${var.region}:${local.account_id}:autoScalingGroup:*:autoScalingGroupName/${var.pre_tag}-${local.unit}-Worker-*-${var.post_tag}"
  parameter_arn = "arn:${local.partition}:ssm:${var.region}:${local.account_id}:parameter${local.parameter_root}"
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

# What every node does: find the managers, log, pull images.
data "aws_iam_policy_document" "node" {
  statement {
    sid       = "FindTheManagers"
    actions   = ["ssm:GetParametersByPath"]
    resources = ["${local.parameter_arn}/*/managers", "${local.parameter_arn}/*/managers/*"]
  }

  statement {
    sid       = "Log"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.cluster.arn}:*"]
  }

  statement {
    sid       = "LogInToEcr"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  statement {
    sid       = "PullImages"
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    resources = ["arn:${local.partition}:ecr:${var.region}:${local.account_id}:repository/*"]
  }
}

data "aws_iam_policy_document" "manager" {
  source_policy_documents = [data.aws_iam_policy_document.node.json]

  statement {
    sid       = "ElectAndJoin"
    actions   = ["ssm:GetParameter", "ssm:PutParameter", "ssm:DeleteParameter"]
    resources = ["${local.parameter_arn}/*"]
  }

  statement {
    sid       = "UseTheKey"
    actions   = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"]
    resources = [local.kms_key_arn]
  }

  statement {
    sid       = "ListStacks"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.files.arn]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["${local.stack_prefix}*"]
    }
  }

  statement {
    sid       = "ReadStacks"
    actions   = ["s3:GetObject"]
    resources = ["${aws_s3_bucket.files.arn}/${local.stack_prefix}*"]
  }

  statement {
    sid       = "TellDeadNodesFromSilentOnes"
    actions   = ["ec2:DescribeInstances"]
    resources = ["*"]
  }

  statement {
    sid       = "SeeWhoIsToLeave"
    actions   = ["autoscaling:DescribeAutoScalingGroups"]
    resources = ["*"]
  }

  statement {
    sid       = "LetTheDrainedGo"
    actions   = ["autoscaling:CompleteLifecycleAction"]
    resources = [local.worker_groups]
  }

  statement {
    sid       = "CountWhatIsKept"
    actions   = ["cloudwatch:PutMetricData"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "cloudwatch:namespace"
      values   = [local.metric_namespace]
    }
  }
}

data "aws_iam_policy_document" "worker" {
  source_policy_documents = [data.aws_iam_policy_document.node.json]

  statement {
    sid       = "Join"
    actions   = ["ssm:GetParameter"]
    resources = ["${local.parameter_arn}/*/token-worker"]
  }

  statement {
    sid       = "DecryptItsToken"
    actions   = ["kms:Decrypt"]
    resources = [local.kms_key_arn]

    condition {
      test     = "StringLike"
      variable = "kms:EncryptionContext:PARAMETER_ARN"
      values   = ["${local.parameter_arn}/*/token-worker"]
    }
  }

  # Whatever policies other units attach to the role.
  statement {
    sid       = "ButNotTheManagersToken"
    effect    = "Deny"
    actions   = ["ssm:GetParameter", "ssm:GetParameters", "ssm:GetParameterHistory"]
    resources = ["${local.parameter_arn}/*/token-manager"]
  }

  # Whoever asks for a whole path of parameters is asked for the right to the path only; this holds then.
  statement {
    sid       = "NorItsKeyForThat"
    effect    = "Deny"
    actions   = ["kms:Decrypt"]
    resources = ["*"]

    condition {
      test     = "StringLike"
      variable = "kms:EncryptionContext:PARAMETER_ARN"
      values   = ["${local.parameter_arn}/*/token-manager"]
    }
  }
}

resource "aws_iam_role" "manager" {
  name                 = local.name["Manager"]
  assume_role_policy   = data.aws_iam_policy_document.assume.json
  permissions_boundary = local.boundary_arn
  tags                 = merge(local.tags, { Name = local.name["Manager"] })
}

resource "aws_iam_role_policy" "manager" {
  name   = "swarm-manager"
  role   = aws_iam_role.manager.id
  policy = data.aws_iam_policy_document.manager.json
}

resource "aws_iam_role_policy" "manager_session" {
  name   = "session"
  role   = aws_iam_role.manager.id
  policy = data.aws_iam_policy_document.session.json
}

resource "aws_iam_instance_profile" "manager" {
  name = local.name["Manager"]
  role = aws_iam_role.manager.name
  tags = merge(local.tags, { Name = local.name["Manager"] })
}

resource "aws_iam_role" "worker" {
  name                 = local.name["Worker"]
  assume_role_policy   = data.aws_iam_policy_document.assume.json
  permissions_boundary = local.boundary_arn
  tags                 = merge(local.tags, { Name = local.name["Worker"] })
}

resource "aws_iam_role_policy" "worker" {
  name   = "swarm-worker"
  role   = aws_iam_role.worker.id
  policy = data.aws_iam_policy_document.worker.json
}

resource "aws_iam_role_policy" "worker_session" {
  name   = "session"
  role   = aws_iam_role.worker.id
  policy = data.aws_iam_policy_document.session.json
}

resource "aws_iam_instance_profile" "worker" {
  name = local.name["Worker"]
  role = aws_iam_role.worker.name
  tags = merge(local.tags, { Name = local.name["Worker"] })
}

data "aws_iam_policy_document" "assume_backup" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["backup.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "backup" {
  count = local.efs_backup

  name                 = local.name["Backup"]
  assume_role_policy   = data.aws_iam_policy_document.assume_backup.json
  permissions_boundary = local.boundary_arn
  tags                 = merge(local.tags, { Name = local.name["Backup"] })
}

resource "aws_iam_role_policy_attachment" "backup" {
  count = local.efs_backup

  role       = aws_iam_role.backup[0].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
}
