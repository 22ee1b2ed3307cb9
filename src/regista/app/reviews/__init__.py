"""Review queues as an application has them: read from its folder, filled from its traces, given out and voted on."""
