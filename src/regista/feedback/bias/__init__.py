"""What feedback is worth: one meter a bias, pure functions on numbers and names. Needs the extra `eval`.

Each gives an estimate with its interval, whether the bias is there at that level, and a plain sentence to show.
"""
