-- Every call of a provider, failed and abandoned ones too: what was spent, on whose account. Rows are never changed.
-- `trace` is `traces.n`; rows come in the transaction of their trace, so that a trace stored twice is billed once.
-- `exact` tells the provider's own count from an estimate; `cost_nano` is null where no price is known, and is `charged_nano` where the provider said what the call cost.
CREATE TABLE ledger (
  trace INTEGER NOT NULL,
  n INTEGER NOT NULL,
  ended_ns INTEGER NOT NULL,
  application TEXT NOT NULL,
  tenant TEXT NOT NULL,
  key TEXT NOT NULL,
  biller TEXT NOT NULL,
  model TEXT NOT NULL,
  cause TEXT NOT NULL,
  status TEXT NOT NULL,
  exact INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  cached_tokens INTEGER NOT NULL,
  reasoning_tokens INTEGER NOT NULL,
  cache_write_tokens INTEGER NOT NULL,
  cache_write_1h_tokens INTEGER NOT NULL,
  audio_tokens INTEGER NOT NULL,
  charged_nano INTEGER,
  cost_nano INTEGER,
  price_version TEXT NOT NULL,
  started_ns INTEGER NOT NULL,
  duration_ns INTEGER NOT NULL,
  first_token_ns INTEGER NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (trace, n)
) WITHOUT ROWID;
CREATE INDEX ledger_by_time ON ledger (ended_ns);
CREATE INDEX ledger_by_key ON ledger (key, started_ns) WHERE key <> '';
ALTER TABLE traces ADD COLUMN cache_write_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE traces ADD COLUMN key TEXT NOT NULL DEFAULT '';
CREATE INDEX traces_by_key ON traces (key, started_ns) WHERE key <> '';
-- What a key may do: JSON lists of model patterns and of limits (see store/keys.py); empty lists allow everything.
-- `admin` keys make and end others.
ALTER TABLE keys ADD COLUMN models TEXT NOT NULL DEFAULT '[]';
ALTER TABLE keys ADD COLUMN limits TEXT NOT NULL DEFAULT '[]';
ALTER TABLE keys ADD COLUMN admin INTEGER NOT NULL DEFAULT 0;
