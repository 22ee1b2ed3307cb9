-- When a server began to tell an alarm, null where none does: for a time it is that server's (see store/alarms.py).
ALTER TABLE alarms ADD COLUMN claimed_ns INTEGER
