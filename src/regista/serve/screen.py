"""Runs guardrails over whole texts and over streams."""
