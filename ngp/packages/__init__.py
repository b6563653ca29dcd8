"""Debian packages on hosts: deploy, install, and what was deployed where."""
