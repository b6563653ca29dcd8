"""environment.yaml and terraform.tfvars: load, choose, bind, check."""
