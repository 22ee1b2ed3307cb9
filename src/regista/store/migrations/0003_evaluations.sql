-- A case as it was tried, by its content. `body` is the whole of it; the other columns are what figures are broken down by.
CREATE TABLE evaluation_cases (
  digest BLOB PRIMARY KEY,
  id TEXT NOT NULL,
  cluster TEXT NOT NULL,
  slices TEXT NOT NULL,
  weight REAL NOT NULL,
  critical INTEGER NOT NULL,
  body BLOB NOT NULL
) WITHOUT ROWID;
-- The newest output by what it was made from: case, variant, repetition.
CREATE TABLE evaluation_answers (
  key BLOB PRIMARY KEY,
  digest BLOB NOT NULL
) WITHOUT ROWID;
-- An output by its content, which never changes under a run that has it. `failed` ones are made again.
CREATE TABLE evaluation_outputs (
  digest BLOB PRIMARY KEY,
  failed INTEGER NOT NULL,
  made_ns INTEGER NOT NULL,
  cost_nano INTEGER,
  body BLOB NOT NULL
) WITHOUT ROWID;
-- A score by what it is of: an output's content, the case with its references, the scorer with its options.
CREATE TABLE evaluation_scores (
  key BLOB PRIMARY KEY,
  status TEXT NOT NULL,
  value REAL,
  reason TEXT NOT NULL,
  detail TEXT NOT NULL
) WITHOUT ROWID;
-- A suite tried on a variant. `suite_digest` and `variant_digest` say what exactly; `finished_ns` is null until it is whole.
CREATE TABLE evaluation_runs (
  id TEXT PRIMARY KEY,
  application TEXT NOT NULL,
  suite TEXT NOT NULL,
  suite_digest TEXT NOT NULL,
  variant TEXT NOT NULL,
  variant_digest TEXT NOT NULL,
  target TEXT NOT NULL,
  repeat INTEGER NOT NULL,
  headline TEXT NOT NULL,
  scorers TEXT NOT NULL,
  "only" TEXT NOT NULL,
  cases INTEGER NOT NULL,
  started_ns INTEGER NOT NULL,
  finished_ns INTEGER,
  report BLOB
);
CREATE INDEX evaluation_runs_by_suite ON evaluation_runs (application, suite, started_ns);
-- What a run is made of, in the order of its cases.
CREATE TABLE evaluation_results (
  run TEXT NOT NULL,
  n INTEGER NOT NULL,
  repetition INTEGER NOT NULL,
  case_digest BLOB NOT NULL,
  output BLOB NOT NULL,
  output_digest BLOB NOT NULL,
  PRIMARY KEY (run, n, repetition)
) WITHOUT ROWID;
-- A judge's passport, by the digest of the judge it is of.
CREATE TABLE evaluation_passports (
  judge TEXT PRIMARY KEY,
  made_ns INTEGER NOT NULL,
  body BLOB NOT NULL
) WITHOUT ROWID
