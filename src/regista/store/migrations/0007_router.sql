-- Trained heads of the router, by a digest of what they were trained on: the same examples are never trained on twice.
CREATE TABLE router_heads (
  digest TEXT PRIMARY KEY,
  made_ns INTEGER NOT NULL,
  body BLOB NOT NULL
) WITHOUT ROWID;
-- The trace of a shadow call has a span of the stage `shadow`, whose name is the id of the trace it was made for.
CREATE INDEX spans_shadow ON spans (name) WHERE stage = 'shadow'
