"""Bundles: a plan with everything that it was made from, signed, approved and applied once."""

DEFAULT_EXPIRES = "24h"  # how long a bundle is valid, as `--expires` takes it
