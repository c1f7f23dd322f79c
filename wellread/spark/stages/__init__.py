"""The stages of a pipeline: what a user names, sets, saves and loads."""
