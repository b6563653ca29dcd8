"""One Terraform plan for all units of a run, and one apply of exactly that plan."""
