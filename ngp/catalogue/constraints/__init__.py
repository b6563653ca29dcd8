"""Constraints of AWS: finds values that it would refuse before Terraform starts."""
