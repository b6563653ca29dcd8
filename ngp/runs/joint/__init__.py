"""The joint plan: one Terraform plan and one apply for all units of a run."""
