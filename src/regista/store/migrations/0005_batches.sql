-- What clients upload and what batches write. `bytes` is null until the file is whole; only then is it seen.
CREATE TABLE files (
  id TEXT PRIMARY KEY,
  tenant TEXT NOT NULL,
  name TEXT NOT NULL,
  purpose TEXT NOT NULL,
  bytes INTEGER,
  created_ns INTEGER NOT NULL,
  expires_ns INTEGER
);
CREATE INDEX files_by_tenant ON files (tenant, created_ns);
-- A file's content in the order of `n`: blocks of what was uploaded; of what a batch writes, its lines by their number.
CREATE TABLE file_parts (
  file TEXT NOT NULL,
  n INTEGER NOT NULL,
  size INTEGER NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (file, n)
);
-- `key` is the beginning of the key a batch was made with; `place` says who may run it: a gateway, or the command line.
-- `owner` runs it now, and until `lease_ns` at least; `ended_ns` is null while it is to be run. `upstream` is where a
-- provider runs it, as JSON. `errors` is a JSON list of what is wrong with it as a whole.
CREATE TABLE batches (
  id TEXT PRIMARY KEY,
  application TEXT NOT NULL,
  tenant TEXT NOT NULL,
  key TEXT NOT NULL,
  place TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  input_file TEXT NOT NULL,
  output_file TEXT NOT NULL,
  error_file TEXT NOT NULL,
  status TEXT NOT NULL,
  metadata TEXT NOT NULL,
  created_ns INTEGER NOT NULL,
  expires_ns INTEGER NOT NULL,
  output_keep_s INTEGER,
  started_ns INTEGER,
  finalizing_ns INTEGER,
  cancelling_ns INTEGER,
  ended_ns INTEGER,
  total INTEGER NOT NULL DEFAULT 0,
  completed INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  input_tokens INTEGER NOT NULL DEFAULT 0,
  output_tokens INTEGER NOT NULL DEFAULT 0,
  cached_tokens INTEGER NOT NULL DEFAULT 0,
  reasoning_tokens INTEGER NOT NULL DEFAULT 0,
  model TEXT NOT NULL DEFAULT '',
  errors TEXT NOT NULL DEFAULT '[]',
  upstream TEXT NOT NULL DEFAULT '',
  owner TEXT NOT NULL DEFAULT '',
  lease_ns INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX batches_by_tenant ON batches (tenant, created_ns);
CREATE INDEX batches_to_run ON batches (ended_ns, application)
