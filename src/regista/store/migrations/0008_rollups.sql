-- Sums over minutes and hours, written with what they sum up, so that no figure of a month reads a month of traces.
-- `duration` and `first_token` are sketches of nanoseconds (see stats/sketch.py). Minutes are kept for two days.
CREATE TABLE trace_rollups (
  grain_s INTEGER NOT NULL,
  start_s INTEGER NOT NULL,
  application TEXT NOT NULL,
  model TEXT NOT NULL,
  variant TEXT NOT NULL,
  traces INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  cancelled INTEGER NOT NULL,
  cached INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  cost_nano INTEGER NOT NULL,
  unpriced INTEGER NOT NULL,
  duration BLOB NOT NULL,
  first_token BLOB NOT NULL,
  PRIMARY KEY (grain_s, start_s, application, model, variant)
) WITHOUT ROWID;
-- The same over calls of providers: those of a fallback, a retry or a judge too.
CREATE TABLE call_rollups (
  grain_s INTEGER NOT NULL,
  start_s INTEGER NOT NULL,
  application TEXT NOT NULL,
  model TEXT NOT NULL,
  cause TEXT NOT NULL,
  calls INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  cancelled INTEGER NOT NULL,
  estimated INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  cost_nano INTEGER NOT NULL,
  unpriced INTEGER NOT NULL,
  duration BLOB NOT NULL,
  first_token BLOB NOT NULL,
  PRIMARY KEY (grain_s, start_s, application, model, cause)
) WITHOUT ROWID
