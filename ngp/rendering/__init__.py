"""From an environment and the catalogue to files, as values."""
