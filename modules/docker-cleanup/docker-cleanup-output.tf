output "cleanup_stack" {
  description = "Name of the stack in the cluster; its service is NAME_cleanup."
  value       = local.unit
}

output "cleanup_stack_key" {
  description = "Stack file in the cluster's bucket."
  value       = aws_s3_object.stack.key
}
