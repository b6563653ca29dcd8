terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 6"
    }
  }
}

data "aws_route53_zone" "platform" {
  name         = var.domain_name
  private_zone = false
}

locals {
  unit        = var.unit != "" ? var.unit : "api-gateway"
  name        = "${var.pre_tag}-${local.unit}-${var.post_tag}"
  host        = "${var.hostname}.${var.swarm_domain}"
  kms_key_arn = var.kms_key_arn != "" ? var.kms_key_arn : var.swarm_kms_key_arn
  is_hybrid   = var.mode == "hybrid"

  own_tags = {
    Project     = var.project
    Environment = var.environment
    Cluster     = local.unit
    Service     = var.service
    Version     = var.version_tag
    "ngp:unit"  = local.unit
  }
  tags = merge(var.tags, local.own_tags)

  stack_directory = "${var.swarm_stack_prefix}${local.unit}/"
  cache           = "${var.elasticache_endpoint}:${var.elasticache_port}"

  # What is no secret of the gateway's configuration.
  gateway = merge(
    {
      TYK_GW_LISTENPORT                    = tostring(var.listen_port)
      TYK_GW_STORAGE_TYPE                  = "redis"
      TYK_GW_STORAGE_ADDRS                 = local.cache
      TYK_GW_STORAGE_USESSL                = "true"
      TYK_GW_STORAGE_SSLINSECURESKIPVERIFY = "false"
      TYK_GW_STORAGE_ENABLECLUSTER         = "false"
      TYK_GW_USEDBAPPCONFIGS               = "false"
      TYK_GW_ENABLEANALYTICS               = tostring(var.pump)
      TYK_GW_HASHKEYS                      = "true"
      TYK_LOGFORMAT                        = "json"
    },
    local.is_hybrid ? {
      TYK_GW_SLAVEOPTIONS_USERPC           = "true"
      TYK_GW_SLAVEOPTIONS_USESSL           = "true"
      TYK_GW_SLAVEOPTIONS_CONNECTIONSTRING = var.hybrid_connection_string
      TYK_GW_SLAVEOPTIONS_GROUPID          = var.hybrid_group_id != "" ? var.hybrid_group_id : local.name
      TYK_GW_POLICIES_POLICYSOURCE         = "rpc"
      } : {
      TYK_GW_APPPATH                   = "/etc/tyk/apps"
      TYK_GW_POLICIES_POLICYSOURCE     = "file"
      TYK_GW_POLICIES_POLICYRECORDNAME = "/etc/tyk/policies.json"
    },
  )

  pump = merge(
    {
      TYK_PMP_ANALYTICSSTORAGETYPE           = "redis"
      TYK_PMP_ANALYTICSSTORAGECONFIG_TYPE    = "redis"
      TYK_PMP_ANALYTICSSTORAGECONFIG_ADDRS   = local.cache
      TYK_PMP_ANALYTICSSTORAGECONFIG_USESSL  = "true"
      TYK_PMP_DONTPURGEUPTIMEDATA            = "true"
      TYK_PMP_ANALYTICSSTORAGECONFIG_TIMEOUT = "5"
      TYK_PMP_LOGFORMAT                      = "json"
    },
    local.is_hybrid ? {
      TYK_PMP_PUMPS_HYBRID_TYPE                  = "hybrid"
      TYK_PMP_PUMPS_HYBRID_META_CONNECTIONSTRING = var.hybrid_connection_string
      TYK_PMP_PUMPS_HYBRID_META_USESSL           = "true" # as the gateway speaks to it
      } : {
      TYK_PMP_OMITCONFIGFILE           = "true"
      TYK_PMP_PUMPS_STDOUT_TYPE        = "stdout"
      TYK_PMP_PUMPS_STDOUT_META_FORMAT = "json"
    },
  )

  # Files that lie beside the stack file and are mounted as Docker configs.
  configs = local.is_hybrid ? {} : merge(
    { policies = { path = "policies.json", target = "/etc/tyk/policies.json", text = var.policies } },
    { for name, text in var.apis : "api_${name}" => { path = "apis/${name}.json", target = "/etc/tyk/apps/${name}.json", text = text } },
  )

  # A field of a secret is an object: the configuration file that the container finds.
  secret_arn = local.is_hybrid ? var.hybrid_secret_arn : one(aws_secretsmanager_secret.gateway[*].arn)
  secrets    = local.is_hybrid && var.pump ? ["gateway", "pump"] : ["gateway"]

  # Docker Hub counts anonymous pulls by address, and the cluster has one.
  images = { for name, image in { image = var.image, pump_image = var.pump_image } : name => var.swarm_image_cache != "" && !can(regex("^[^/]+[.:][^/]*/", image)) ? "${var.swarm_image_cache}/${strcontains(image, "/") ? "" : "library/"}${image}" : image }
}

# The secret of the gateway's own API. In mode hybrid it is part of the operator's secret.

resource "aws_secretsmanager_secret" "gateway" {
  count = local.is_hybrid ? 0 : 1

  name_prefix             = "${local.name}-gateway-"
  description             = "Secret of the API of the gateway at ${local.host}, as its configuration file has it"
  kms_key_id              = local.kms_key_arn
  recovery_window_in_days = var.secret_recovery_days
  tags                    = merge(local.tags, { Name = "${local.name}-gateway" })
}

resource "aws_secretsmanager_secret_version" "gateway" {
  count = local.is_hybrid ? 0 : 1

  secret_id                = aws_secretsmanager_secret.gateway[0].id
  secret_string_wo         = jsonencode({ gateway = { secret = var.tyk_secret } })
  secret_string_wo_version = var.secret_version
}

# Managers alone read it: they make Docker secrets of it.
data "aws_iam_policy_document" "secret" {
  statement {
    sid       = "ReadTheSecret"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [local.secret_arn]
  }

  statement {
    sid       = "UseTheKey"
    actions   = ["kms:Decrypt"]
    resources = [local.kms_key_arn]
  }
}

resource "aws_iam_policy" "secret" {
  name        = "${local.name}-secret"
  description = "Secret of ${local.unit}"
  policy      = data.aws_iam_policy_document.secret.json
  tags        = merge(local.tags, { Name = "${local.name}-secret" })
}

resource "aws_iam_role_policy_attachment" "manager_secret" {
  role       = var.swarm_manager_role_name
  policy_arn = aws_iam_policy.secret.arn
}

# What the cluster's leader finds and deploys.

resource "aws_s3_object" "secrets" {
  bucket       = var.swarm_stack_bucket
  key          = "${local.stack_directory}secrets.json"
  content_type = "application/json"
  content = jsonencode([for field in local.secrets : {
    name       = field
    secret_arn = local.secret_arn
    field      = field
    version    = var.secret_version # a new one changes the file, and so the stack is deployed again
  }])
  tags = merge(local.own_tags, { Name = "secrets" }) # an object may have ten tags

  depends_on = [aws_secretsmanager_secret_version.gateway, aws_iam_role_policy_attachment.manager_secret]
}

resource "aws_s3_object" "config" {
  for_each = local.configs

  bucket       = var.swarm_stack_bucket
  key          = "${local.stack_directory}${each.value.path}"
  content_type = "application/json"
  content      = each.value.text
  tags         = merge(local.own_tags, { Name = each.key }) # an object may have ten tags
}

resource "aws_s3_object" "stack" {
  bucket       = var.swarm_stack_bucket
  key          = "${local.stack_directory}stack.yml"
  content_type = "application/yaml"
  content = templatefile("${path.module}/files/gateway.yml.tftpl", {
    stack       = local.unit
    image       = local.images["image"]
    gateway     = local.gateway
    configs     = local.configs
    network     = var.swarm_network_name
    replicas    = var.replicas
    constraints = var.placement == "any" ? [] : ["node.role == ${var.placement}"]
    memory      = var.memory
    host        = local.host
    port        = var.listen_port
    has_pump    = var.pump
    pump_image  = local.images["pump_image"]
    pump        = local.pump
    is_hybrid   = local.is_hybrid
  })
  tags = merge(local.own_tags, { Name = "stack" }) # an object may have ten tags

  # The stack comes when all that it needs is there, and goes before any of that does.
  depends_on = [aws_s3_object.secrets, aws_s3_object.config]
}

resource "aws_route53_record" "gateway" {
  zone_id = data.aws_route53_zone.platform.zone_id
  name    = local.host
  type    = "A"

  alias {
    name                   = var.swarm_lb_dns_name
    zone_id                = var.swarm_lb_zone_id
    evaluate_target_health = true
  }
}
