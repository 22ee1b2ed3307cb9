-- Attributes of a trace's spans beyond the first 200, by 200, so that a long trace is read in pages.
CREATE TABLE body_parts (
  trace INTEGER NOT NULL,
  part INTEGER NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (trace, part)
);
-- SQLite: `bodies` holds the newest only; those of traces `first` to `last` were moved to the file of a week together,
-- where they are searched too (see store/bodies_sqlite.py). The times are those of the first and the last to begin.
CREATE TABLE body_steps (
  first INTEGER PRIMARY KEY,
  last INTEGER NOT NULL,
  file TEXT NOT NULL,
  low_ns INTEGER NOT NULL,
  high_ns INTEGER NOT NULL
);
-- PostgreSQL: `bodies` holds all, and these are their words (see store/bodies_postgres.py).
CREATE TABLE body_words (
  trace INTEGER PRIMARY KEY,
  words TSVECTOR NOT NULL
);
--postgresql CREATE INDEX body_words_held ON body_words USING gin (words);
--postgresql ALTER TABLE bodies ALTER COLUMN body SET STORAGE EXTERNAL
