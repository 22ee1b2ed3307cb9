"""What the gateway adds to a request, beside LiteLLM's proxy: capacity of one core, CPU, added latency."""
