"""Pure functions over text: no files, no network, no models."""
