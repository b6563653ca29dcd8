"""Drive the Terraform binary."""
