"""What weights come in, read without TensorFlow and PyTorch: one module a format, and the claims they make."""
