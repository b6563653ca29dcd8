"""The benchmark: compares ngp with Terraform, OpenTofu, Terragrunt and Terramate (``python -m bench``)."""
