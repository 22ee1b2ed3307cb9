"""Batches: files of requests answered in the background, durably, by pools of workers or by the provider itself."""
