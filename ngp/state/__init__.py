"""Where a unit's state lies, and what it holds."""
