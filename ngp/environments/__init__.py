"""Loads, edits, checks and resolves environments: environment.yaml and terraform.tfvars."""
