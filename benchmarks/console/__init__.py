"""How long the console's pages take."""
