"""Hosts: the machines of an environment, found by their tags, and the ways into them."""
