"""From what was typed to queries that stand alone."""
