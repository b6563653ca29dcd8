mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-central-1:123456789012:key/made" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/made" }
  }
  mock_resource "aws_launch_template" {
    defaults = { id = "lt-0123456789abcdef0" }
  }
  mock_resource "aws_security_group" {
    defaults = { id = "sg-0node" }
  }
  mock_resource "aws_eks_cluster" {
    defaults = {
      endpoint              = "https://made.eks.amazonaws.com"
      certificate_authority = [{ data = "Q0E=" }]
      identity              = [{ oidc = [{ issuer = "https://oidc.eks.eu-central-1.amazonaws.com/id/MADE" }] }]
    }
  }
}

variables {
  project              = "shop"
  environment          = "stage"
  region               = "eu-central-1"
  pre_tag              = "shop-a"
  post_tag             = "stage"
  vpc_id               = "vpc-0123"
  vpc_cidr             = "10.0.0.0/16"
  private_subnet_ids   = ["subnet-1", "subnet-2"]
  alarm_topic_arn      = "arn:aws:sns:eu-central-1:123456789012:alarms"
  admin_principal_arns = ["arn:aws:iam::123456789012:role/operators"]
}

run "cluster_is_private_encrypted_and_logged" {
  command = apply

  assert {
    condition     = aws_eks_cluster.this.name == "shop-a-kubernetes-stage" && aws_eks_cluster.this.vpc_config[0].endpoint_private_access && !aws_eks_cluster.this.vpc_config[0].endpoint_public_access
    error_message = "The API is in the VPC only."
  }
  assert {
    condition     = aws_eks_cluster.this.access_config[0].authentication_mode == "API" && !aws_eks_cluster.this.access_config[0].bootstrap_cluster_creator_admin_permissions
    error_message = "Access entries alone count; the maker is nobody."
  }
  assert {
    condition     = aws_eks_cluster.this.encryption_config[0].provider[0].key_arn == "arn:aws:kms:eu-central-1:123456789012:key/made" && aws_kms_key.cluster[0].enable_key_rotation
    error_message = "Secrets are encrypted by a key of its own."
  }
  assert {
    condition     = aws_cloudwatch_log_group.cluster.name == "/aws/eks/shop-a-kubernetes-stage/cluster" && aws_cloudwatch_log_group.cluster.retention_in_days == 30 && contains(aws_eks_cluster.this.enabled_cluster_log_types, "audit")
    error_message = "The control plane's logs are kept, for a while."
  }
  assert {
    condition     = aws_eks_cluster.this.upgrade_policy[0].support_type == "STANDARD" && aws_eks_cluster.this.version == "1.36"
    error_message = "A version is not kept for six times the price."
  }
  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.vpc) == 1 && length(aws_vpc_security_group_ingress_rule.group) == 0
    error_message = "Where nobody is named the VPC may call it."
  }
  assert {
    condition     = output.kubernetes_endpoint == "https://made.eks.amazonaws.com" && output.kubernetes_ca == "Q0E=" && output.kubernetes_oidc_issuer == "oidc.eks.eu-central-1.amazonaws.com/id/MADE" && output.kubernetes_kubeconfig_command == "aws eks update-kubeconfig --region eu-central-1 --name shop-a-kubernetes-stage"
    error_message = "The outputs let kubectl and roles in."
  }
  assert {
    condition     = toset(keys(aws_cloudwatch_metric_alarm.cluster)) == toset(["errors", "pending", "storage"]) && toset(aws_cloudwatch_metric_alarm.cluster["pending"].alarm_actions) == toset(["arn:aws:sns:eu-central-1:123456789012:alarms"])
    error_message = "It tells when pods find no node."
  }
}

run "access_is_by_entries" {
  command = apply

  variables {
    access = { shop = { principal_arn = "arn:aws:iam::123456789012:role/shop", policy = "edit", namespaces = ["shop"] } }
  }

  assert {
    condition     = aws_eks_access_policy_association.this["arn:aws:iam::123456789012:role/operators"].policy_arn == "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy" && aws_eks_access_policy_association.this["arn:aws:iam::123456789012:role/operators"].access_scope[0].type == "cluster"
    error_message = "Operators may everything."
  }
  assert {
    condition     = aws_eks_access_policy_association.this["shop"].policy_arn == "arn:aws:eks::aws:cluster-access-policy/AmazonEKSEditPolicy" && aws_eks_access_policy_association.this["shop"].access_scope[0].namespaces == toset(["shop"])
    error_message = "A team may edit what is its own."
  }
  assert {
    condition     = length(aws_eks_access_entry.this) == 2
    error_message = "Nobody else is let in."
  }
}

run "addons_that_call_aws_have_roles_of_their_own" {
  command = apply

  variables {
    addon_versions           = { coredns = "v1.12.4-eksbuild.1" }
    permissions_boundary_arn = "arn:aws:iam::123456789012:policy/boundary"
  }

  assert {
    condition     = one(aws_eks_addon.before_nodes["vpc-cni"].pod_identity_association).service_account == "aws-node" && one(aws_eks_addon.after_nodes["aws-ebs-csi-driver"].pod_identity_association).service_account == "ebs-csi-controller-sa"
    error_message = "Network and volumes."
  }
  assert {
    condition     = one(data.aws_iam_policy_document.assume_pod.statement[0].principals).identifiers == toset(["pods.eks.amazonaws.com"]) && toset(keys(aws_iam_role_policy_attachment.node)) == toset(["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"])
    error_message = "Only pods of this cluster get them; nodes do not have those rights."
  }
  assert {
    condition     = aws_eks_addon.after_nodes["coredns"].addon_version == "v1.12.4-eksbuild.1" && toset(concat(keys(aws_eks_addon.before_nodes), keys(aws_eks_addon.after_nodes))) == toset(["eks-pod-identity-agent", "kube-proxy", "vpc-cni", "coredns", "aws-ebs-csi-driver"])
    error_message = "Every add-on is there, a pinned one in its version."
  }
  assert {
    condition     = alltrue([for role in concat([aws_iam_role.cluster, aws_iam_role.node], values(aws_iam_role.addon)) : role.permissions_boundary == var.permissions_boundary_arn])
    error_message = "Every role has the boundary."
  }
}

run "what_addons_make_has_the_clusters_tags" {
  command = apply

  variables {
    addon_configurations = {
      vpc-cni            = "{\"enableNetworkPolicy\": \"true\", \"env\": {\"ENABLE_PREFIX_DELEGATION\": \"true\"}}"
      aws-ebs-csi-driver = "{\"controller\": {\"replicaCount\": 3}}"
      coredns            = "{\"replicaCount\": 4}"
    }
  }

  assert {
    condition     = jsondecode(jsondecode(aws_eks_addon.before_nodes["vpc-cni"].configuration_values).env.ADDITIONAL_ENI_TAGS)["ngp:unit"] == "kubernetes" && jsondecode(aws_eks_addon.after_nodes["aws-ebs-csi-driver"].configuration_values).controller.extraVolumeTags["Environment"] == "stage"
    error_message = "Network interfaces of pods, and volumes of claims."
  }
  assert {
    condition     = jsondecode(aws_eks_addon.before_nodes["vpc-cni"].configuration_values).enableNetworkPolicy == "true" && jsondecode(aws_eks_addon.before_nodes["vpc-cni"].configuration_values).env.ENABLE_PREFIX_DELEGATION == "true" && jsondecode(aws_eks_addon.after_nodes["aws-ebs-csi-driver"].configuration_values).controller.replicaCount == 3 && jsondecode(aws_eks_addon.after_nodes["coredns"].configuration_values).replicaCount == 4
    error_message = "What was asked for stays beside them."
  }
  assert {
    condition     = aws_ec2_tag.cluster_group["ngp:unit"].value == "kubernetes" && length(aws_ec2_tag.cluster_group) == 6
    error_message = "The group that EKS makes is marked, too."
  }
}

run "more_addons_come_after_the_nodes" {
  command = apply

  variables {
    more_addons = {
      metrics-server                  = {}
      amazon-cloudwatch-observability = { version = "v4.4.0-eksbuild.1", configuration = "{\"containerLogs\": {\"enabled\": false}}", roles = { cloudwatch-agent = "arn:aws:iam::123456789012:role/agent" } }
    }
  }

  assert {
    condition     = aws_eks_addon.after_nodes["amazon-cloudwatch-observability"].addon_version == "v4.4.0-eksbuild.1" && one(aws_eks_addon.after_nodes["amazon-cloudwatch-observability"].pod_identity_association).role_arn == "arn:aws:iam::123456789012:role/agent" && !jsondecode(aws_eks_addon.after_nodes["amazon-cloudwatch-observability"].configuration_values).containerLogs.enabled
    error_message = "Version, settings and role are as asked for."
  }
  assert {
    condition     = length(aws_eks_addon.after_nodes["metrics-server"].pod_identity_association) == 0 && contains(keys(aws_eks_addon.after_nodes), "coredns")
    error_message = "Without any they are EKS's own."
  }
}

run "nodes_are_as_their_group_says" {
  command = apply

  variables {
    node_groups = {
      default = {}
      batch = {
        capacity       = "SPOT"
        instance_types = ["m7i.large", "m6i.large"]
        ami_type       = "BOTTLEROCKET_x86_64"
        min_size       = 0
        desired_size   = 0
        volume_size    = 100
        repair         = false
        labels         = { pool = "batch" }
        taints         = [{ key = "batch", effect = "NO_SCHEDULE" }]
      }
    }
  }

  assert {
    condition     = alltrue([for template in aws_launch_template.node : template.metadata_options[0].http_tokens == "required" && template.metadata_options[0].http_put_response_hop_limit == 1 && template.block_device_mappings[0].ebs[0].encrypted == "true" && template.block_device_mappings[0].ebs[0].volume_type == "gp3"])
    error_message = "IMDSv2, which pods do not reach, and encrypted gp3."
  }
  assert {
    condition     = [for disk in aws_launch_template.node["batch"].block_device_mappings : disk.device_name] == ["/dev/xvda", "/dev/xvdb"] && alltrue([for disk in aws_launch_template.node["batch"].block_device_mappings : disk.ebs[0].encrypted == "true"]) && aws_launch_template.node["batch"].block_device_mappings[1].ebs[0].volume_size == 100 && contains(aws_launch_template.node["default"].vpc_security_group_ids, "sg-0node")
    error_message = "The disk of pods is the one that was meant; the nodes' group is theirs."
  }
  assert {
    condition     = aws_eks_node_group.this["batch"].capacity_type == "SPOT" && one(aws_eks_node_group.this["batch"].taint).effect == "NO_SCHEDULE" && aws_eks_node_group.this["batch"].labels["pool"] == "batch" && aws_eks_node_group.this["default"].scaling_config[0].max_size == 6
    error_message = "Capacity, taints, labels and sizes."
  }
  assert {
    condition     = alltrue([for group in aws_eks_node_group.this : group.version == "1.36" && group.update_config[0].max_unavailable_percentage == 33])
    error_message = "Nodes follow the control plane, by turns."
  }
  assert {
    condition     = aws_eks_node_group.this["default"].node_repair_config[0].enabled && !aws_eks_node_group.this["batch"].node_repair_config[0].enabled
    error_message = "Sick nodes are replaced, unless that was not wanted."
  }
}

run "named_clients_and_networks_alone_may_call_it" {
  command = apply

  variables {
    client_security_group_ids = ["sg-vpn"]
    public_access_cidrs       = ["203.0.113.0/24"]
    extended_support          = true
  }

  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.vpc) == 0 && aws_vpc_security_group_ingress_rule.group[0].referenced_security_group_id == "sg-vpn"
    error_message = "The VPC as a whole may no more."
  }
  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].endpoint_public_access && aws_eks_cluster.this.vpc_config[0].public_access_cidrs == toset(["203.0.113.0/24"])
    error_message = "The internet by that network only."
  }
  assert {
    condition     = aws_eks_cluster.this.upgrade_policy[0].support_type == "EXTENDED"
    error_message = "A version is kept where that was asked for."
  }
}

run "what_a_cluster_is_born_with_stays" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/own"
  }

  expect_failures = [aws_eks_cluster.this]
}

run "a_given_key_and_network_are_used" {
  command   = apply
  state_key = "key"

  variables {
    kms_key_arn  = "arn:aws:kms:eu-central-1:123456789012:key/own"
    service_cidr = "172.21.0.0/16"
  }

  assert {
    condition     = aws_eks_cluster.this.kubernetes_network_config[0].service_ipv4_cidr == "172.21.0.0/16"
    error_message = "Services have the addresses that were asked for."
  }

  assert {
    condition     = length(aws_kms_key.cluster) == 0 && aws_eks_cluster.this.encryption_config[0].provider[0].key_arn == var.kms_key_arn && aws_cloudwatch_log_group.cluster.kms_key_id == var.kms_key_arn && toset(data.aws_iam_policy_document.volumes.statement[0].resources) == toset([var.kms_key_arn])
    error_message = "For secrets, logs and volumes."
  }
}

run "what_eks_would_refuse_is_refused" {
  command = plan

  variables {
    private_subnet_ids   = ["subnet-1"]
    client_cidrs         = ["0.0.0.0/0"]
    public_access_cidrs  = ["0.0.0.0/0"]
    admin_principal_arns = []
    kubernetes_version   = "1.36.2"
    service_cidr         = "172.20.0.0/8"
    control_plane_logs   = ["everything"]
    addon_versions       = { dashboard = "v1.0.0-eksbuild.1" }
    addon_configurations = { coredns = "[1]" }
    more_addons          = { coredns = {} }
    node_groups          = { default = { min_size = 3, desired_size = 2 } }
  }

  expect_failures = [
    var.private_subnet_ids, var.client_cidrs, var.public_access_cidrs, var.admin_principal_arns, var.kubernetes_version,
    var.service_cidr, var.control_plane_logs, var.addon_versions, var.addon_configurations, var.more_addons, var.node_groups,
  ]
}

run "an_addon_with_a_name_in_place_of_a_role_is_refused" {
  command = plan

  variables {
    more_addons = { metrics-server = { roles = { metrics-server = "metrics" } } }
  }

  expect_failures = [var.more_addons]
}

run "an_unknown_policy_is_refused" {
  command = plan

  variables {
    access = { shop = { principal_arn = "arn:aws:iam::123456789012:role/shop", policy = "cluster-admin" } }
  }

  expect_failures = [var.access]
}

run "somebody_who_is_named_twice_is_refused" {
  command = plan

  variables {
    access = { ops = { principal_arn = "arn:aws:iam::123456789012:role/operators" } }
  }

  expect_failures = [var.access]
}

run "an_image_that_the_template_does_not_bring_is_refused" {
  command = plan

  variables {
    node_groups = { default = { ami_type = "CUSTOM" } }
  }

  expect_failures = [var.node_groups]
}

run "a_group_without_a_type_or_with_an_unknown_taint_is_refused" {
  command = plan

  variables {
    node_groups = { default = { instance_types = [], taints = [{ key = "a", effect = "NoSchedule" }] } }
  }

  expect_failures = [var.node_groups]
}

run "a_minimum_above_the_nodes_that_run_is_refused" {
  command = plan

  variables {
    node_groups = { default = { min_size = 4, desired_size = 4 } }
  }

  expect_failures = [output.kubernetes_node_group_names]
}

run "a_type_and_an_image_of_two_architectures_are_refused" {
  command = plan

  variables {
    node_groups = { default = { instance_types = ["m7g.large"] } }
  }

  expect_failures = [var.node_groups]
}

run "graviton_has_an_image_of_its_own" {
  command   = plan
  state_key = "graviton"

  variables {
    kubernetes_version = ""
    node_groups        = { default = { instance_types = ["m7gd.large", "t4g.large"], ami_type = "BOTTLEROCKET_ARM_64" } }
  }

  assert {
    condition     = aws_eks_node_group.this["default"].ami_type == "BOTTLEROCKET_ARM_64"
    error_message = "The image fits the types."
  }
}
