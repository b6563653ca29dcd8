"""CI pipelines: events, comments, statuses, annotations, outputs and matrices."""
