"""Columns of annotations: their schema, and how a worker computes them out of Arrow arrays."""
