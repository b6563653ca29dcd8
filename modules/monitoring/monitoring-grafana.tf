# Grafana, if it is asked for: on the server that keeps the past, with both servers as sources of data.

locals {
  grafana_fqdn = "grafana.${var.domain_name}"
  grafana_url  = "http://${local.grafana_fqdn}:3000"
}

resource "aws_secretsmanager_secret" "grafana" {
  count = local.grafana ? 1 : 0

  name_prefix             = "${format(local.name, "${local.unit}-grafana")}-"
  description             = "Password of Grafana's administrator"
  kms_key_id              = var.kms_key_arn == "" ? null : var.kms_key_arn
  recovery_window_in_days = var.secret_recovery_days
  tags                    = merge(local.tags, { Name = format(local.name, "${local.unit}-grafana") })
}

resource "aws_secretsmanager_secret_version" "grafana" {
  count = local.grafana ? 1 : 0

  secret_id                = aws_secretsmanager_secret.grafana[0].id
  secret_string_wo         = var.grafana_password
  secret_string_wo_version = var.grafana_password_version
}

resource "aws_route53_record" "grafana" {
  count = local.grafana ? 1 : 0

  zone_id = data.aws_route53_zone.this.zone_id
  name    = local.grafana_fqdn
  type    = "A"
  ttl     = 300
  records = [local.addresses.longterm]
}
