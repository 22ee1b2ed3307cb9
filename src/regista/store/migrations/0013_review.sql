-- What people are asked to judge in a queue: a trace, or two with the same question (`other` is empty for one). `value`
-- is how much a vote is thought to tell, made of the three before it; `votes` are those that count, one a person.
-- `topic` is what its question is about, in hashes or as a vector (see feedback/review/topic.py). `started_ns` is when
-- the older of the traces began. `sent_by` is empty where it was drawn and nobody sent it.
CREATE TABLE review_items (
  id BLOB PRIMARY KEY,
  application TEXT NOT NULL,
  queue TEXT NOT NULL,
  trace BLOB NOT NULL,
  other BLOB NOT NULL,
  tenant TEXT NOT NULL,
  started_ns INTEGER NOT NULL,
  added_ns INTEGER NOT NULL,
  sent_by TEXT NOT NULL,
  votes INTEGER NOT NULL,
  disagreement REAL NOT NULL,
  uncertainty REAL NOT NULL,
  novelty REAL NOT NULL,
  value REAL NOT NULL,
  topic BLOB NOT NULL
);
CREATE INDEX review_items_open ON review_items (application, queue, votes);
CREATE INDEX review_items_of_trace ON review_items (trace);
CREATE INDEX review_items_of_other ON review_items (other);
-- Who has an item, had it, or left it out: `state` is held, voted or skipped. `again` is 1 for a blind repeat, so that
-- nobody is asked twice but for one. `side` is where `trace` was shown, of two. What was said is in `feedback`: `vote`
-- is its id there, empty until then.
CREATE TABLE review_turns (
  item BLOB NOT NULL,
  annotator TEXT NOT NULL,
  again INTEGER NOT NULL,
  application TEXT NOT NULL,
  queue TEXT NOT NULL,
  state TEXT NOT NULL,
  side TEXT NOT NULL,
  leased_ns INTEGER NOT NULL,
  until_ns INTEGER NOT NULL,
  ended_ns INTEGER NOT NULL,
  vote BLOB NOT NULL,
  PRIMARY KEY (item, annotator, again)
);
CREATE INDEX review_turns_by_time ON review_turns (application, queue, state, ended_ns);
CREATE INDEX review_turns_of_annotator ON review_turns (application, queue, annotator, state, ended_ns)
