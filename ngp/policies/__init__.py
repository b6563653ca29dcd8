"""Policies: rules for planned changes, ngp's own and the platform's in Rego."""
