"""What a hub lists, and how it is changed."""
