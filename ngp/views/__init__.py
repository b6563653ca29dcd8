"""Show values: tables, progress and JSON documents; the only printers."""
