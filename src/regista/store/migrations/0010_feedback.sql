-- What is thought of answers, said outright or seen by the gateway. `id` is 16 bytes: one thumb of one person on one
-- answer has one, so that a second one takes its place. `trace` is empty where it is about a session.
CREATE TABLE feedback (
  id BLOB PRIMARY KEY,
  made_ns INTEGER NOT NULL,
  kind TEXT NOT NULL,
  source TEXT NOT NULL,
  tenant TEXT NOT NULL,
  application TEXT NOT NULL,
  trace BLOB NOT NULL,
  span INTEGER,
  session TEXT NOT NULL,
  name TEXT NOT NULL,
  value REAL,
  text TEXT NOT NULL,
  other TEXT NOT NULL,
  side TEXT NOT NULL,
  author TEXT NOT NULL,
  confidence REAL NOT NULL,
  evidence BLOB NOT NULL
);
CREATE INDEX feedback_of_trace ON feedback (trace);
CREATE INDEX feedback_by_time ON feedback (made_ns);
CREATE INDEX feedback_of_tenant ON feedback (tenant, made_ns);
-- Requests as turns of conversations. `turn` is the trace's id and when it began (24 bytes), since a client may send one
-- id with several requests; `session` is its first turn. `stands` is 0 where a later request took its place.
CREATE TABLE turns (
  turn BLOB PRIMARY KEY,
  session BLOB NOT NULL,
  started_ns INTEGER NOT NULL,
  ended_ns INTEGER NOT NULL,
  status TEXT NOT NULL,
  way TEXT NOT NULL,
  after BLOB NOT NULL,
  refused INTEGER NOT NULL,
  stands INTEGER NOT NULL
);
CREATE INDEX turns_of_session ON turns (session, started_ns);
-- Under which digests of what was said a turn is found again (see feedback/conversation.py): the last one stored.
CREATE TABLE turn_keys (
  digest BLOB PRIMARY KEY,
  turn BLOB NOT NULL,
  seen_ns INTEGER NOT NULL
);
CREATE INDEX turn_keys_by_time ON turn_keys (seen_ns);
CREATE TABLE conversations (
  session BLOB PRIMARY KEY,
  tenant TEXT NOT NULL,
  application TEXT NOT NULL,
  ended_ns INTEGER NOT NULL,
  is_over INTEGER NOT NULL
);
CREATE INDEX conversations_open ON conversations (ended_ns) WHERE is_over = 0;
-- What tokens for feedback on one answer are signed with.
CREATE TABLE feedback_secret (
  n INTEGER PRIMARY KEY,
  secret BLOB NOT NULL
)
