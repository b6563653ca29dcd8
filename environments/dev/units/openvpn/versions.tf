# Rendered by ngp from environments/dev; do not edit: change environment.yaml or terraform.tfvars and run `ngp render dev`.

terraform {
  required_version = ">= 1.11.0, < 2.0.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 6"
    }
  }

  backend "s3" {
    bucket              = "ngp-tfstate-123456789012-eu-central-1"
    key                 = "environments/dev/openvpn.tfstate"
    region              = "eu-central-1"
    encrypt             = true
    use_lockfile        = true
    allowed_account_ids = ["123456789012"]
  }
}

provider "aws" {
  region              = "eu-central-1"
  allowed_account_ids = ["123456789012"]
}
