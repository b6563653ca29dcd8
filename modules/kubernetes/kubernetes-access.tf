# Who may reach whom (security groups), and what cluster, nodes and add-ons may do (roles).

# Besides the group that EKS makes itself, in which nodes and control plane trust each other.
resource "aws_security_group" "api" {
  name_prefix = "${local.name}-api-"
  description = "API of the Kubernetes cluster ${local.name}"
  vpc_id      = var.vpc_id
  tags        = merge(local.tags, { Name = "${local.name}-api" })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "group" {
  count = length(var.client_security_group_ids)

  security_group_id            = aws_security_group.api.id
  description                  = "API, from a group"
  referenced_security_group_id = var.client_security_group_ids[count.index]
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  tags                         = merge(local.tags, { Name = "${local.name}-client" })
}

resource "aws_vpc_security_group_ingress_rule" "network" {
  for_each = var.client_cidrs

  security_group_id = aws_security_group.api.id
  description       = "API, from a network"
  cidr_ipv4         = each.key
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  tags              = merge(local.tags, { Name = "${local.name}-client" })
}

resource "aws_vpc_security_group_ingress_rule" "vpc" {
  count = length(var.client_security_group_ids) == 0 && length(var.client_cidrs) == 0 ? 1 : 0

  security_group_id = aws_security_group.api.id
  description       = "API, from the VPC"
  cidr_ipv4         = var.vpc_cidr
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  tags              = merge(local.tags, { Name = "${local.name}-client" })
}

# Has no rules of its own: it is the nodes' name in the rules of others (databases, load balancers).
resource "aws_security_group" "node" {
  name_prefix = "${local.name}-node-"
  description = "Nodes of the Kubernetes cluster ${local.name}"
  vpc_id      = var.vpc_id
  tags        = merge(local.tags, { Name = "${local.name}-node" })

  lifecycle {
    create_before_destroy = true
  }
}

# The control plane.

data "aws_iam_policy_document" "assume_cluster" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["eks.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "cluster" {
  statement {
    sid       = "EncryptSecrets"
    actions   = ["kms:Encrypt", "kms:Decrypt", "kms:DescribeKey", "kms:CreateGrant"]
    resources = [local.kms_key_arn]
  }
}

resource "aws_iam_role" "cluster" {
  name                 = "${local.name}-cluster"
  assume_role_policy   = data.aws_iam_policy_document.assume_cluster.json
  permissions_boundary = local.boundary_arn
  tags                 = merge(local.tags, { Name = "${local.name}-cluster" })
}

resource "aws_iam_role_policy" "cluster" {
  name   = "kubernetes-secrets"
  role   = aws_iam_role.cluster.id
  policy = data.aws_iam_policy_document.cluster.json
}

resource "aws_iam_role_policy_attachment" "cluster" {
  role       = aws_iam_role.cluster.name
  policy_arn = "arn:${local.partition}:iam::aws:policy/AmazonEKSClusterPolicy"
}

# The nodes: join, pull images, be entered by Session Manager. What the network add-on may do is its own role's.

data "aws_iam_policy_document" "assume_node" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "node" {
  name                 = "${local.name}-node"
  assume_role_policy   = data.aws_iam_policy_document.assume_node.json
  permissions_boundary = local.boundary_arn
  tags                 = merge(local.tags, { Name = "${local.name}-node" })
}

resource "aws_iam_role_policy_attachment" "node" {
  for_each = toset(["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"])

  role       = aws_iam_role.node.name
  policy_arn = "arn:${local.partition}:iam::aws:policy/${each.key}"
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

resource "aws_iam_role_policy" "node_session" {
  name   = "session"
  role   = aws_iam_role.node.id
  policy = data.aws_iam_policy_document.session.json
}

# Add-ons that call AWS have a role each, which their pods get from the pod identity agent.

locals {
  addon_policies = { cni = "AmazonEKS_CNI_Policy", ebs-csi = "service-role/AmazonEBSCSIDriverPolicy" }
}

data "aws_iam_policy_document" "assume_pod" {
  statement {
    actions = ["sts:AssumeRole", "sts:TagSession"]

    principals {
      type        = "Service"
      identifiers = ["pods.eks.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = ["arn:${local.partition}:eks:${var.region}:${local.account_id}:cluster/${local.name}"]
    }
  }
}

resource "aws_iam_role" "addon" {
  for_each = local.addon_policies

  name                 = "${local.name}-${each.key}"
  assume_role_policy   = data.aws_iam_policy_document.assume_pod.json
  permissions_boundary = local.boundary_arn
  tags                 = merge(local.tags, { Name = "${local.name}-${each.key}" })
}

resource "aws_iam_role_policy_attachment" "addon" {
  for_each = local.addon_policies

  role       = aws_iam_role.addon[each.key].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/${each.value}"
}

# Volumes of pods may be encrypted by the cluster's key (storage class: kmsKeyId).
data "aws_iam_policy_document" "volumes" {
  statement {
    sid       = "EncryptVolumes"
    actions   = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"]
    resources = [local.kms_key_arn]
  }

  statement {
    sid       = "LetEc2UseTheKey"
    actions   = ["kms:CreateGrant"]
    resources = [local.kms_key_arn]

    condition {
      test     = "Bool"
      variable = "kms:GrantIsForAWSResource"
      values   = ["true"]
    }
  }
}

resource "aws_iam_role_policy" "volumes" {
  name   = "kubernetes-volumes"
  role   = aws_iam_role.addon["ebs-csi"].id
  policy = data.aws_iam_policy_document.volumes.json
}
