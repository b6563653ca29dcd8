"""Bundles: a plan with everything that it was made from, sealed, approved and applied once."""
