-- What was found to have changed. One alarm of a feature is open at a time, so that each change is told once; `told_ns` is
-- null until the webhook took it. `examples` is a JSON list of trace ids (see store/alarms.py).
CREATE TABLE alarms (
  id TEXT PRIMARY KEY,
  application TEXT NOT NULL,
  aspect TEXT NOT NULL,
  name TEXT NOT NULL,
  found TEXT NOT NULL,
  before TEXT NOT NULL,
  now TEXT NOT NULL,
  measure TEXT NOT NULL,
  effect REAL NOT NULL,
  p REAL NOT NULL,
  more TEXT NOT NULL,
  opened_ns INTEGER NOT NULL,
  closed_ns INTEGER,
  told_ns INTEGER,
  examples TEXT NOT NULL
);
CREATE UNIQUE INDEX alarms_open ON alarms (application, aspect, name) WHERE closed_ns IS NULL;
CREATE INDEX alarms_by_time ON alarms (opened_ns);
-- Sketches of nano-dollars, null in rows of before.
ALTER TABLE trace_rollups ADD COLUMN cost BLOB;
ALTER TABLE call_rollups ADD COLUMN cost BLOB
