"""Renders the files of environments, modules and platforms, as values."""
