"""Policies: rules that planned changes are held to, ngp's own and the platform's in Rego."""
