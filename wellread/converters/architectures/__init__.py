"""One file per architecture: how its tensors are named in each format, as tables."""
