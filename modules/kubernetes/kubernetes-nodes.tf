# Groups of nodes, which EKS renews by turns: with the cluster's version, and with their template.

resource "aws_launch_template" "node" {
  for_each = var.node_groups

  name_prefix            = "${local.name}-${each.key}-"
  description            = "Nodes of group ${each.key}"
  update_default_version = true
  vpc_security_group_ids = [aws_eks_cluster.this.vpc_config[0].cluster_security_group_id, aws_security_group.node.id]
  tags                   = merge(local.tags, { Name = "${local.name}-${each.key}" })

  # One hop: pods do not get the node's role, unless they share its network.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  # Bottlerocket has its system on a small disk of its own, whose size the image says.
  dynamic "block_device_mappings" {
    for_each = startswith(each.value.ami_type, "BOTTLEROCKET") ? ["/dev/xvda"] : []

    content {
      device_name = block_device_mappings.value

      ebs {
        volume_type           = "gp3"
        encrypted             = true
        delete_on_termination = true
      }
    }
  }

  block_device_mappings {
    device_name = startswith(each.value.ami_type, "BOTTLEROCKET") ? "/dev/xvdb" : "/dev/xvda"

    ebs {
      volume_type           = "gp3"
      volume_size           = each.value.volume_size
      encrypted             = true
      delete_on_termination = true
    }
  }

  dynamic "tag_specifications" {
    for_each = toset(["instance", "volume", "network-interface"])

    content {
      resource_type = tag_specifications.key
      tags          = merge(local.tags, { Name = "${local.name}-${each.key}" })
    }
  }
}

resource "aws_eks_node_group" "this" {
  for_each = var.node_groups

  cluster_name           = aws_eks_cluster.this.name
  node_group_name_prefix = "${each.key}-"
  version                = aws_eks_cluster.this.version
  node_role_arn          = aws_iam_role.node.arn
  subnet_ids             = var.private_subnet_ids
  instance_types         = each.value.instance_types
  ami_type               = each.value.ami_type
  capacity_type          = each.value.capacity
  labels                 = each.value.labels
  tags                   = merge(local.tags, { Name = "${local.name}-${each.key}" })

  scaling_config {
    min_size     = each.value.min_size
    max_size     = each.value.max_size
    desired_size = each.value.desired_size
  }

  update_config {
    max_unavailable_percentage = each.value.max_unavailable_percent
  }

  # A node that stays sick is replaced, its pods' disruption budgets kept.
  node_repair_config {
    enabled = each.value.repair
  }

  launch_template {
    id      = aws_launch_template.node[each.key].id
    version = aws_launch_template.node[each.key].latest_version
  }

  dynamic "taint" {
    for_each = each.value.taints

    content {
      key    = taint.value.key
      value  = taint.value.value
      effect = taint.value.effect
    }
  }

  lifecycle {
    create_before_destroy = true
    # The cluster autoscaler's.
    ignore_changes = [scaling_config[0].desired_size]
  }

  depends_on = [
    aws_eks_addon.before_nodes,
    aws_iam_role_policy_attachment.addon,
    aws_iam_role_policy.node_session,
    aws_iam_role_policy_attachment.node,
  ]
}
