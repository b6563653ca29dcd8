resource "terraform_data" "vpc" {
  input = var.cidr
}
