-- What pages find their rows by. Conversations are listed by when they began, which their ids end with.
CREATE INDEX conversations_begun ON conversations (substr(session, 17), session);
CREATE INDEX conversations_of_application ON conversations (application, substr(session, 17), session);
-- Signals and labels by their names, and feedback on a conversation as a whole.
CREATE INDEX feedback_of_name ON feedback (name, made_ns) WHERE name <> '';
CREATE INDEX feedback_of_session ON feedback (session) WHERE length(trace) = 0;
-- The trace of a replay has a span of the stage `replay`, whose name is the id of the trace it asks again.
CREATE INDEX spans_replay ON spans (name) WHERE stage = 'replay';
-- That of what was tried in the playground one of the stage `playground`, with the trace whose words were filled in.
CREATE INDEX spans_playground ON spans (name) WHERE stage = 'playground';
-- Guardrails that did something: few among many spans.
CREATE INDEX spans_fired ON spans (trace) WHERE decision IN ('mask', 'block')
