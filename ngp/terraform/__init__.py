"""Drives the Terraform binary, and reads its files and output."""
