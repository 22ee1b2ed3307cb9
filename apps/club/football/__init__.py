"""Football from match events: reading an archive, counting, naming roles, comparing players.

Read top down: `wyscout` (the archive's form) → `measure` (one match's counts) → `season` (all
matches, on all cores) → `tables` (figures on disk and in SQLite) → `roles`, `metrics`,
`intervals`, `reliability` (what the counts mean) → `profile` and `wording` (what is said of them).
"""
