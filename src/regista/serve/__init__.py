"""The request path, from a request to a stream of deltas: `pipeline.py` has it on one page, the folders are its boxes."""
