"""What a change in Git means for the platform: which units it affects, and why."""
