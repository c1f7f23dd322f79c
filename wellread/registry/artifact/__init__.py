"""The artifact: a zip that describes itself, and its proof."""
