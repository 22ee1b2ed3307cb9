"""Prompt files: front matter and a template, as data."""
