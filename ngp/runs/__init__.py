"""What is to run in which order, and what became of it."""
