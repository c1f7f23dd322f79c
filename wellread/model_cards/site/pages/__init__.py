"""What visitors get: pages, feeds, JSON, notebooks, the search and the demo, with their templates and scripts."""
