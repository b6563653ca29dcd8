"""Runs: plan, apply and destroy of an environment's units: order, scheduling, results and journal."""
