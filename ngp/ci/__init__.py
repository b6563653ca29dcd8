"""What ngp says in CI: the event that started a pipeline, comments, statuses, annotations, outputs and matrices."""
