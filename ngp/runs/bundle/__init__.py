"""Bundles: a plan with everything that it was made from, signed, approved and applied once."""
