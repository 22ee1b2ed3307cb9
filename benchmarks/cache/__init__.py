"""Whose answer may serve another: what the semantic cache's rules and threshold are worth, on labelled questions."""
