-- What is kept by an application's caches in an older epoch is never served again: `regista cache clear` raises it.
CREATE TABLE cache_epochs (
  application TEXT PRIMARY KEY,
  epoch INTEGER NOT NULL
);
-- Answers that questions in other words may get. `place` is the digest of all that must be equal (tenant, variant,
-- epochs, history …), `id` that of the place and the question; `vector` is of unit length, float16; `answer` is msgpack.
CREATE TABLE cache_answers (
  id BLOB PRIMARY KEY,
  application TEXT NOT NULL,
  place BLOB NOT NULL,
  question TEXT NOT NULL,
  vector BLOB NOT NULL,
  answer BLOB NOT NULL,
  made_ns INTEGER NOT NULL,
  expires_ns INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX cache_answers_by_time ON cache_answers (application, made_ns);
-- Would-be hits that were answered afresh: `same` says whether the answer that was kept would have done.
CREATE TABLE cache_labels (
  id BLOB PRIMARY KEY,
  application TEXT NOT NULL,
  embedder TEXT NOT NULL,
  at_ns INTEGER NOT NULL,
  likeness REAL NOT NULL,
  same INTEGER NOT NULL,
  asked TEXT NOT NULL,
  kept TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX cache_labels_by_time ON cache_labels (application, embedder, at_ns);
-- From which likeness on a kept answer is served, by the embedder that measures it; null: from none. `off` says why the
-- measure of `cache_labels` has ended that.
CREATE TABLE cache_calibrations (
  application TEXT NOT NULL,
  embedder TEXT NOT NULL,
  threshold REAL,
  bound REAL NOT NULL,
  risk REAL NOT NULL,
  hits INTEGER NOT NULL,
  wrong INTEGER NOT NULL,
  source TEXT NOT NULL,
  made_ns INTEGER NOT NULL,
  off TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (application, embedder)
) WITHOUT ROWID
