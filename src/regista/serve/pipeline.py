"""The request path on one page."""
