"""Datasets: examples made of what was served, kept by content, each with where it comes from.

It knows no surface and asks no model.
"""
