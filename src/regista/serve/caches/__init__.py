"""Answers given before: one file per cache."""
