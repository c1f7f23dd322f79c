"""What runs a model: numpy, onnxruntime and tokenizers, nothing else."""
