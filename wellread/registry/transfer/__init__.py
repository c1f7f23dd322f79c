"""From a hub into the cache: checked on the way, resumed, proved."""
