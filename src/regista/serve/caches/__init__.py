"""Answers given before.

keys.py       what must be equal              exact.py      the same words (shared.py: between gateways)
worth.py      whether an answer is for others  semantic.py   other words, from what likeness on
reading.py    a question taken apart           calibration.py, measure.py   what the likeness is worth
agreement.py  two of them side by side         languages.py  whose words are known (lexicon.py, english.py)
"""
