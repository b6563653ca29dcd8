"""Modules: the manifest and the facts that their HCL holds."""
