"""Pure functions over numbers, each with its source."""
