"""Measures what is told from users' words, and trains the head that helps the rules.

    python -m benchmarks.feedback.signals [--write] [--json]

`data/development.jsonl` has 1,469 turns after 48 answers, and 124 answers; the rules were written with it in view and
the head is trained on it. `data/held-out.jsonl` has 464 turns after 16 other answers, in other fields, written before
the rules were tuned, and 124 other answers; only its sums are looked at. Both have one author, who also wrote the
rules: expect less on other people's words. All of it is English. Of what the rules found in the first 32 contexts, written together with
them, no threshold is made: those are set on the other 16. `--write` puts the head in its place in the package; that
needs scikit-learn.
"""
