# Rendered by ngp from environments/prod; do not edit: change environment.yaml or terraform.tfvars and run `ngp render prod`.

terraform {
  required_version = ">= 1.11.0, < 2.0.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 6"
    }
  }

  backend "s3" {
    bucket              = "ngp-tfstate-444455556666-eu-central-1"
    key                 = "environments/prod/docker-registry.tfstate"
    region              = "eu-central-1"
    encrypt             = true
    use_lockfile        = true
    allowed_account_ids = ["444455556666"]
  }
}

provider "aws" {
  region              = "eu-central-1"
  allowed_account_ids = ["444455556666"]
}
