"""What a router would have done, and how well it chooses: replays of recorded traffic, heads trained on evaluations."""
