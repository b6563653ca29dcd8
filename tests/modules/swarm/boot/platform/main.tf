# A cluster and, later, a registry on it, as a platform would make them. What the kernel of a test machine lacks is chosen
# away by the modules' own inputs (encrypt_overlay, container_log_driver); images are named for a registry that is not
# there, so that Docker takes those that the lab put on the nodes.
terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

provider "aws" {
  region                      = "eu-central-1"
  s3_use_path_style           = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = false
  skip_credentials_validation = true
}

variable "vpc_id" { type = string }
variable "subnet_id" { type = string }
variable "image_registry" { type = string }
variable "addresses" { type = list(string) }
variable "registry_password" {
  type      = string
  ephemeral = true
}

locals {
  common = {
    project     = "shop"
    environment = "lab"
    region      = "eu-central-1"
    domain_name = "lab.example.test"
    pre_tag     = "shop-a"
    post_tag    = "lab"
  }
}

module "swarm" {
  source = "./modules/swarm"

  project              = local.common.project
  environment          = local.common.environment
  region               = local.common.region
  domain_name          = local.common.domain_name
  pre_tag              = local.common.pre_tag
  post_tag             = local.common.post_tag
  vpc_id               = var.vpc_id
  vpc_cidr             = "10.77.0.0/24"
  private_subnet_ids   = [var.subnet_id]
  public_subnet_ids    = [var.subnet_id, var.subnet_id]
  manager_private_ips  = var.addresses
  worker_pools         = { web = {} }
  router_image         = "${var.image_registry}/traefik:v3.7.15"
  encrypt_overlay      = false
  container_log_driver = "json-file"
}

module "docker-registry" {
  source = "./modules/docker-registry"

  project                 = local.common.project
  environment             = local.common.environment
  region                  = local.common.region
  domain_name             = local.common.domain_name
  pre_tag                 = local.common.pre_tag
  post_tag                = local.common.post_tag
  swarm_domain            = module.swarm.swarm_domain
  swarm_lb_dns_name       = "lb.example.test"
  swarm_lb_zone_id        = "Z215JYRZR1TBD5"
  swarm_stack_bucket      = module.swarm.swarm_stack_bucket
  swarm_stack_prefix      = module.swarm.swarm_stack_prefix
  swarm_network_name      = module.swarm.swarm_network_name
  swarm_manager_role_name = module.swarm.swarm_manager_role_name
  swarm_kms_key_arn       = module.swarm.swarm_kms_key_arn
  image                   = "${var.image_registry}/registry:2.8.2"
  registry_password       = var.registry_password
  registry_http_secret    = "0123456789abcdef0123456789abcdef"
}
