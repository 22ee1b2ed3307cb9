"""What the policies of the router stand on: what a request shows, warm prefixes, paces, heads over vectors."""

HEAD = "router/learned.json"
"""Where an application keeps the head of its policy `learned`: in its folder, so that it is reviewed, and the variant
is named by it."""
