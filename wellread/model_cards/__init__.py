"""From manifests to cards. Needs jinja2 and PyYAML; never imports the converters."""
