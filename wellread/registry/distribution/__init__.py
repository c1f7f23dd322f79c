"""Releases on their way elsewhere: copies, bundles, Hugging Face, a server."""
