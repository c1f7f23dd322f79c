"""What a site reads of its hub: what changed, names with their releases, models as a site shows them."""
