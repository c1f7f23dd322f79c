"""The site of a hub: static files, made from what its index, manifests and proofs say, and from nothing else."""
