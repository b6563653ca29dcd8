"""Hosts: the machines of an environment, found by their tags, and how to connect to them."""
