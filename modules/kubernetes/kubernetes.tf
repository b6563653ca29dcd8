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

data "aws_partition" "current" {}

locals {
  unit = var.unit != "" ? var.unit : "kubernetes"
  name = "${var.pre_tag}-${local.unit}-${var.post_tag}"

  tags = merge(var.tags, {
    Project     = var.project
    Environment = var.environment
    Cluster     = local.unit
    Service     = var.service
    Version     = var.version_tag
    "ngp:unit"  = local.unit
  })

  account_id    = data.aws_caller_identity.current.account_id
  partition     = data.aws_partition.current.partition
  kms_key_arn   = var.kms_key_arn != "" ? var.kms_key_arn : one(aws_kms_key.cluster[*].arn)
  boundary_arn  = var.permissions_boundary_arn != "" ? var.permissions_boundary_arn : null
  alarm_actions = compact([var.alarm_topic_arn])
  log_group     = "/aws/eks/${local.name}/cluster" # where EKS writes
}

# Key and logs.

data "aws_iam_policy_document" "key" {
  statement {
    sid       = "AccountDecides"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${local.partition}:iam::${local.account_id}:root"]
    }
  }

  statement {
    sid       = "LogsOfThisCluster"
    actions   = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:DescribeKey"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["logs.${var.region}.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "kms:EncryptionContext:aws:logs:arn"
      values   = ["arn:${local.partition}:logs:${var.region}:${local.account_id}:log-group:${local.log_group}"]
    }
  }
}

resource "aws_kms_key" "cluster" {
  count = var.kms_key_arn == "" ? 1 : 0

  description             = "Secrets, logs and volumes of the Kubernetes cluster ${local.name}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = data.aws_iam_policy_document.key.json
  tags                    = merge(local.tags, { Name = local.name })
}

resource "aws_kms_alias" "cluster" {
  count = var.kms_key_arn == "" ? 1 : 0

  name          = "alias/${local.name}"
  target_key_id = aws_kms_key.cluster[0].key_id
}

resource "aws_cloudwatch_log_group" "cluster" {
  name              = local.log_group
  retention_in_days = var.log_retention_days
  kms_key_id        = local.kms_key_arn
  tags              = merge(local.tags, { Name = local.log_group })
}

# The control plane.

# What a cluster is born with. It remembers: another value later is refused below, before anything is touched.
resource "terraform_data" "born_with" {
  input = { vpc_id = var.vpc_id, kms_key_arn = var.kms_key_arn, service_cidr = var.service_cidr }

  lifecycle {
    ignore_changes = [input]
  }
}

resource "aws_eks_cluster" "this" {
  name                          = local.name
  version                       = var.kubernetes_version == "" ? null : var.kubernetes_version
  role_arn                      = aws_iam_role.cluster.arn
  enabled_cluster_log_types     = var.control_plane_logs
  bootstrap_self_managed_addons = false # the add-ons below are all there are
  tags                          = merge(local.tags, { Name = local.name })

  vpc_config {
    subnet_ids              = var.private_subnet_ids
    security_group_ids      = [aws_security_group.api.id]
    endpoint_private_access = true
    endpoint_public_access  = length(var.public_access_cidrs) > 0
    public_access_cidrs     = length(var.public_access_cidrs) > 0 ? var.public_access_cidrs : null
  }

  access_config {
    authentication_mode                         = "API"
    bootstrap_cluster_creator_admin_permissions = false
  }

  encryption_config {
    resources = ["secrets"]

    provider {
      key_arn = local.kms_key_arn
    }
  }

  dynamic "kubernetes_network_config" {
    for_each = compact([var.service_cidr])

    content {
      service_ipv4_cidr = kubernetes_network_config.value
    }
  }

  upgrade_policy {
    support_type = var.extended_support ? "EXTENDED" : "STANDARD"
  }

  lifecycle {
    precondition {
      condition     = terraform_data.born_with.output == { vpc_id = var.vpc_id, kms_key_arn = var.kms_key_arn, service_cidr = var.service_cidr }
      error_message = "vpc_id, kms_key_arn and service_cidr are fixed while a cluster lives: make a second unit, deploy into it, then remove this one."
    }
  }

  # EKS removes what it made in the VPC by its role, and writes to the log group that is there.
  depends_on = [
    aws_cloudwatch_log_group.cluster,
    aws_iam_role_policy.cluster,
    aws_iam_role_policy_attachment.cluster,
  ]
}

# EKS makes this group itself and gives it no tags of the cluster's.
resource "aws_ec2_tag" "cluster_group" {
  for_each = local.tags

  resource_id = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
  key         = each.key
  value       = each.value
}

# By it pods' service accounts become roles of IAM, besides the add-on for pod identities.
resource "aws_iam_openid_connect_provider" "this" {
  url            = aws_eks_cluster.this.identity[0].oidc[0].issuer
  client_id_list = ["sts.amazonaws.com"]
  tags           = merge(local.tags, { Name = local.name })
}

# Who may do what.

locals {
  policy_prefix = "arn:${local.partition}:eks::aws:cluster-access-policy"
  admins        = { for arn in var.admin_principal_arns : arn => { principal_arn = arn, policy = "AmazonEKSClusterAdminPolicy", namespaces = toset([]) } }
  others = { for name, entry in var.access : name => {
    principal_arn = entry.principal_arn
    policy        = { admin = "AmazonEKSAdminPolicy", edit = "AmazonEKSEditPolicy", view = "AmazonEKSViewPolicy" }[entry.policy]
    namespaces    = entry.namespaces
  } }
  entries = merge(local.admins, local.others)
}

resource "aws_eks_access_entry" "this" {
  for_each = local.entries

  cluster_name  = aws_eks_cluster.this.name
  principal_arn = each.value.principal_arn
  type          = "STANDARD"
  tags          = merge(local.tags, { Name = "${local.name}-access" })
}

resource "aws_eks_access_policy_association" "this" {
  for_each = local.entries

  cluster_name  = aws_eks_cluster.this.name
  principal_arn = aws_eks_access_entry.this[each.key].principal_arn
  policy_arn    = "${local.policy_prefix}/${each.value.policy}"

  access_scope {
    type       = length(each.value.namespaces) > 0 ? "namespace" : "cluster"
    namespaces = length(each.value.namespaces) > 0 ? each.value.namespaces : null
  }
}

# Add-ons: those that a node needs before it is ready, and those that need nodes. What they make in AWS has the cluster's tags.

locals {
  before_nodes = {
    eks-pod-identity-agent = {}
    kube-proxy             = {}
    vpc-cni                = { aws-node = aws_iam_role.addon["cni"].arn }
  }
  after_nodes = merge({
    coredns            = {}
    aws-ebs-csi-driver = { ebs-csi-controller-sa = aws_iam_role.addon["ebs-csi"].arn }
  }, { for name, addon in var.more_addons : name => addon.roles })

  addon_versions = merge({ for name, addon in var.more_addons : name => addon.version }, var.addon_versions)

  cni     = try(jsondecode(var.addon_configurations["vpc-cni"]), {})
  volumes = try(jsondecode(var.addon_configurations["aws-ebs-csi-driver"]), {})
  addon_configurations = merge({ for name, addon in var.more_addons : name => addon.configuration }, var.addon_configurations, {
    vpc-cni            = jsonencode(merge(local.cni, { env = merge(try(local.cni.env, {}), { ADDITIONAL_ENI_TAGS = jsonencode(local.tags) }) }))
    aws-ebs-csi-driver = jsonencode(merge(local.volumes, { controller = merge(try(local.volumes.controller, {}), { extraVolumeTags = local.tags }) }))
  })
}

resource "aws_eks_addon" "before_nodes" {
  for_each = local.before_nodes

  cluster_name                = aws_eks_cluster.this.name
  addon_name                  = each.key
  addon_version               = lookup(local.addon_versions, each.key, null)
  configuration_values        = lookup(local.addon_configurations, each.key, null)
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "PRESERVE"
  tags                        = merge(local.tags, { Name = "${local.name}-${each.key}" })

  dynamic "pod_identity_association" {
    for_each = each.value

    content {
      service_account = pod_identity_association.key
      role_arn        = pod_identity_association.value
    }
  }
}

resource "aws_eks_addon" "after_nodes" {
  for_each = local.after_nodes

  cluster_name                = aws_eks_cluster.this.name
  addon_name                  = each.key
  addon_version               = lookup(local.addon_versions, each.key, null)
  configuration_values        = lookup(local.addon_configurations, each.key, null)
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "PRESERVE"
  tags                        = merge(local.tags, { Name = "${local.name}-${each.key}" })

  dynamic "pod_identity_association" {
    for_each = each.value

    content {
      service_account = pod_identity_association.key
      role_arn        = pod_identity_association.value
    }
  }

  depends_on = [aws_eks_node_group.this]
}

# When it tells.

locals {
  alarms = {
    errors  = { metric = "apiserver_request_total_5XX", statistic = "Sum", threshold = 50, periods = 3, what = "The API answers 5xx." }
    pending = { metric = "scheduler_pending_pods_UNSCHEDULABLE", statistic = "Minimum", threshold = 0, periods = 3, what = "Pods find no node." }
    storage = { metric = "apiserver_storage_size_bytes", statistic = "Maximum", threshold = 6 * 1024 * 1024 * 1024, periods = 1, what = "The cluster's store (8 GiB) is nearly full." }
  }
}

resource "aws_cloudwatch_metric_alarm" "cluster" {
  for_each = local.alarms

  alarm_name          = "${local.name}-${each.key}"
  alarm_description   = "Kubernetes ${local.name}: ${each.value.what}"
  namespace           = "AWS/EKS"
  metric_name         = each.value.metric
  dimensions          = { ClusterName = aws_eks_cluster.this.name }
  statistic           = each.value.statistic
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  period              = 300
  evaluation_periods  = each.value.periods
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
  tags                = merge(local.tags, { Name = "${local.name}-${each.key}" })
}
