"""From a name to one release: hubs, copies, choice, lock."""
