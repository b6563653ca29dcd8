"""Shows values as tables, progress and JSON documents. Only views print."""
