"""From published articles to a live, searchable version of the archive."""
