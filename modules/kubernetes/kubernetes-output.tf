output "kubernetes_endpoint" {
  description = "Address of the API."
  value       = aws_eks_cluster.this.endpoint
}

output "kubernetes_cluster_name" {
  description = "Name of the cluster."
  value       = aws_eks_cluster.this.name
}

output "kubernetes_ca" {
  description = "Certificate of the cluster's authority, in Base64."
  value       = aws_eks_cluster.this.certificate_authority[0].data
}

output "kubernetes_version" {
  description = "Version of Kubernetes."
  value       = aws_eks_cluster.this.version
}

output "kubernetes_kubeconfig_command" {
  description = "Command that lets kubectl reach the cluster, for who is in admin_principal_arns or access."
  value       = "aws eks update-kubeconfig --region ${var.region} --name ${aws_eks_cluster.this.name}"
}

output "kubernetes_oidc_issuer" {
  description = "Issuer of the tokens of service accounts, without https://, as trust policies name it."
  value       = trimprefix(aws_eks_cluster.this.identity[0].oidc[0].issuer, "https://")
}

output "kubernetes_oidc_provider_arn" {
  description = "Identity provider of IAM for service accounts."
  value       = aws_iam_openid_connect_provider.this.arn
}

output "kubernetes_node_security_group_id" {
  description = "Security group of the nodes: what databases and load balancers name."
  value       = aws_security_group.node.id
}

output "kubernetes_security_group_ids" {
  description = "The same as a list, for inputs such as client_security_group_ids."
  value       = [aws_security_group.node.id]
}

output "kubernetes_cluster_security_group_id" {
  description = "Security group that EKS made, in which nodes and control plane trust each other."
  value       = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
}

output "kubernetes_node_role_name" {
  description = "IAM role of the nodes."
  value       = aws_iam_role.node.name
}

output "kubernetes_node_group_names" {
  description = "Names at EKS of the groups of nodes, by name."
  value       = { for name, group in aws_eks_node_group.this : name => group.node_group_name }

  # A group that runs keeps its desired_size, which is the autoscaler's. EKS refuses a min_size above it, or a max_size below.
  # The command sets all three sizes, for each alone could be outside of the old ones.
  precondition {
    condition = alltrue([for name, group in aws_eks_node_group.this : var.node_groups[name].min_size <= group.scaling_config[0].desired_size && group.scaling_config[0].desired_size <= var.node_groups[name].max_size])
    error_message = join(" ", concat(["min_size and max_size of a node group must leave room for the nodes that it has. Scale it first:"], [
      for name, group in aws_eks_node_group.this : "aws eks update-nodegroup-config --cluster-name ${local.name} --nodegroup-name ${group.node_group_name} --scaling-config minSize=${var.node_groups[name].min_size},maxSize=${var.node_groups[name].max_size},desiredSize=${min(max(group.scaling_config[0].desired_size, var.node_groups[name].min_size), var.node_groups[name].max_size)}"
      if group.scaling_config[0].desired_size < var.node_groups[name].min_size || group.scaling_config[0].desired_size > var.node_groups[name].max_size
    ]))
  }
}

output "kubernetes_autoscaling_group_names" {
  description = "Autoscaling groups of the nodes."
  value       = flatten([for group in aws_eks_node_group.this : [for resources in group.resources : resources.autoscaling_groups[*].name]])
}

output "kubernetes_kms_key_arn" {
  description = "KMS key of the cluster's secrets."
  value       = local.kms_key_arn
}

output "kubernetes_log_group_name" {
  description = "Log group of the control plane."
  value       = aws_cloudwatch_log_group.cluster.name
}
