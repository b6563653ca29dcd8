output "gateway_url" {
  description = "Address of the gateway; it answers /hello itself."
  value       = "https://${local.host}"
}

output "gateway_host" {
  description = "Name of the gateway."
  value       = local.host
}

output "gateway_mode" {
  description = "standalone or hybrid."
  value       = var.mode
}

output "gateway_api_url" {
  description = "Address of the gateway's own API, for containers in the cluster's overlay network only."
  value       = "http://${local.unit}_gateway:${var.listen_port}/tyk"
}

output "gateway_secret_arn" {
  description = "Secret with the gateway's configuration (gateway.secret is what its own API asks for); in mode hybrid the one that was given."
  value       = local.secret_arn
}

output "gateway_redis_endpoint" {
  description = "Host and port of the cache that the gateway uses."
  value       = local.cache
}

output "gateway_stack" {
  description = "Name of the gateway's stack in the cluster."
  value       = local.unit
}
