"""Who says so: keys, signatures, and whose are believed."""
