"""Reviews a change in Git: the units that it affects, and why."""
