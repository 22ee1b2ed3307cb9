"""The request path: `pipeline.py` has it on one page, the folders are its boxes."""
