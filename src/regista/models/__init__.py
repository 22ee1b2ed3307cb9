"""Models behind one protocol: providers, embeddings, prices.

A folder above asks for text or vectors; it does not know who makes them or over which wire.
"""
