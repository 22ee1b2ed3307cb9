"""Batches in one process and on Ray, side by side."""
