-- Whose requests these are, as the caller says: the end user of an application (see core/users.py), empty for unknown.
ALTER TABLE traces ADD COLUMN user_id TEXT NOT NULL DEFAULT '';
CREATE INDEX traces_of_user ON traces (user_id, started_ns) WHERE user_id <> '';
-- With which key feedback was given: with it, it may be taken back.
ALTER TABLE feedback ADD COLUMN key TEXT NOT NULL DEFAULT '';
-- The traces that a kept answer, and the two questions of a label, are of: hexadecimal, empty where that was not kept.
ALTER TABLE cache_answers ADD COLUMN trace TEXT NOT NULL DEFAULT '';
ALTER TABLE cache_labels ADD COLUMN asked_trace TEXT NOT NULL DEFAULT '';
ALTER TABLE cache_labels ADD COLUMN kept_trace TEXT NOT NULL DEFAULT '';
-- What was evaluated is found by its case, so that it goes with the trace it was made of.
CREATE INDEX evaluation_cases_of_id ON evaluation_cases (id);
CREATE INDEX evaluation_results_of_case ON evaluation_results (case_digest);
CREATE INDEX evaluation_results_of_output ON evaluation_results (output_digest);
-- What is deleted by itself for its age: one row, of the last time. Who raises `ran_ns` does it, among several servers.
CREATE TABLE retention (
  n INTEGER PRIMARY KEY,
  ran_ns INTEGER NOT NULL,
  before_ns INTEGER NOT NULL,
  traces INTEGER NOT NULL,
  total INTEGER NOT NULL,
  problem TEXT NOT NULL
)
