"""Nouns, errors, the registry and settings: what every other folder may use, using none of them."""
