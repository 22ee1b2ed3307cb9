"""The one way out: every outgoing URL passes here, and only to origins the configuration names."""
