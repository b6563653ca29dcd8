"""The benchmark: ngp beside Terraform, OpenTofu, Terragrunt and Terramate (``python -m bench``)."""
