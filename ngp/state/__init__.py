"""States of units: their locations, contents and locks."""
