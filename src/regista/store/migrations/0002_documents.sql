-- What an application may retrieve. A row of `epochs` makes the documents and chunks written with it visible.
-- `touched` is a JSON list of the documents that the epoch added, changed or removed: by it a derived index catches up.
-- `mark` is random: it tells an epoch from one of the same number in another life of the database.
CREATE TABLE epochs (
  application TEXT NOT NULL,
  number INTEGER NOT NULL,
  mark TEXT NOT NULL,
  embedder TEXT NOT NULL,
  made_ns INTEGER NOT NULL,
  touched TEXT NOT NULL,
  PRIMARY KEY (application, number)
);
-- `digest` is that of the source's bytes, `form` that of what parsed and cut it: while both hold, nothing is done again.
CREATE TABLE documents (
  application TEXT NOT NULL,
  id TEXT NOT NULL,
  title TEXT NOT NULL,
  text TEXT NOT NULL,
  media_type TEXT NOT NULL,
  digest TEXT NOT NULL,
  form TEXT NOT NULL,
  PRIMARY KEY (application, id)
);
-- A chunk is offsets into its document's text. `passage` is the digest of the text that was embedded for it.
CREATE TABLE chunks (
  n INTEGER PRIMARY KEY,
  application TEXT NOT NULL,
  document TEXT NOT NULL,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  heading TEXT NOT NULL,
  passage TEXT NOT NULL,
  FOREIGN KEY (application, document) REFERENCES documents (application, id) ON DELETE CASCADE
);
CREATE INDEX chunks_of_document ON chunks (application, document);
-- Vectors by what they are of: little-endian float16. They may come before the epoch that needs them; alone they show nothing.
CREATE TABLE vectors (
  application TEXT NOT NULL,
  embedder TEXT NOT NULL,
  passage TEXT NOT NULL,
  vector BLOB NOT NULL,
  PRIMARY KEY (application, embedder, passage)
) WITHOUT ROWID
