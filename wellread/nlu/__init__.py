"""NLU's one-liner: a reference gives a pipeline, a pipeline and texts give a table."""
