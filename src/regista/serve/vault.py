"""Keeps what was masked, so that an answer can be unmasked for the one who asked."""
