"""What is said again, shorter, of what the index decides."""
