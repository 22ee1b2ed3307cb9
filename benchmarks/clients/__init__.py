"""Clients of other projects against a running server."""
