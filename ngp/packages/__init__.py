"""Debian packages on hosts: deploy, install, and list what was deployed."""
