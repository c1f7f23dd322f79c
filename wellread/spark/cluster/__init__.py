"""The session and its machines: Java, the way of a model to the workers, what they count."""
