"""What people think of answers: said outright, or seen in what they do next. Pure functions on nouns.

`conversation` tells which requests belong together, `signals` what a turn says of the answer before it, `bias` what
the feedback given is worth. They know no store, no HTTP and no clock: whoever calls them hands in what was seen.
"""
