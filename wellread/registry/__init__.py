"""What a hub is: names, records, artifacts, the index, the cache, fetching and publishing.

Needs the standard library, msgspec and filelock; anything else is imported where it is used.
"""
