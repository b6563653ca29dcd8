"""Daemons and workers: processes that serve commands over private sockets or pipes."""
