-- Bearer keys: only the hash of a key is kept; no row is ever deleted, so that a revoked key is told from an unknown one.
CREATE TABLE keys (
  hash TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  tenant TEXT NOT NULL,
  prefix TEXT NOT NULL,
  created_ns INTEGER NOT NULL,
  expires_ns INTEGER,
  revoked_ns INTEGER
);
CREATE UNIQUE INDEX keys_in_use ON keys (name) WHERE revoked_ns IS NULL;
-- One narrow row a request. `n` counts in order of arrival and stands for the id in the tables below.
-- A caller may send one W3C trace id with several requests: an id and its start name one trace.
CREATE TABLE traces (
  n INTEGER PRIMARY KEY,
  id BLOB NOT NULL,
  application TEXT NOT NULL,
  variant TEXT NOT NULL,
  model TEXT NOT NULL,
  tenant TEXT NOT NULL,
  started_ns INTEGER NOT NULL,
  duration_ns INTEGER NOT NULL,
  first_token_ns INTEGER NOT NULL,
  status TEXT NOT NULL,
  error TEXT NOT NULL,
  cached TEXT NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  cached_tokens INTEGER NOT NULL,
  reasoning_tokens INTEGER NOT NULL,
  cost_nano INTEGER,
  price_version TEXT NOT NULL,
  UNIQUE (id, started_ns)
);
CREATE INDEX traces_by_time ON traces (started_ns);
CREATE INDEX traces_failed ON traces (started_ns) WHERE status <> 'ok';
CREATE TABLE spans (
  trace INTEGER NOT NULL,
  n INTEGER NOT NULL,
  parent INTEGER NOT NULL,
  stage TEXT NOT NULL,
  name TEXT NOT NULL,
  start_ns INTEGER NOT NULL,
  duration_ns INTEGER NOT NULL,
  decision TEXT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (trace, n)
) WITHOUT ROWID;
-- What was said, apart from the rows that lists and figures scan: zstd over msgpack (see store/traces.py).
CREATE TABLE bodies (
  trace INTEGER PRIMARY KEY,
  body BLOB NOT NULL
);
