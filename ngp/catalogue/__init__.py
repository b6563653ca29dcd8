"""Modules: their manifests, the facts of their HCL, and the rules that they must follow."""
