"""Counts what the next build would index; by itself, so that asking loads nothing that builds."""

from __future__ import annotations

from index.archive import Archive
from index.versions import Versions


def waiting(archive: Archive, versions: Versions, live: str | None) -> tuple[int, int, int]:
    """Count the new, changed and removed articles that the next build would index."""
    touched = archive.changed_since(versions.describe(live).state) if live else None
    want = archive.fingerprints(touched)
    indexed = versions.indexed(live, touched) if live else {}
    new = sum(1 for article_id in want if article_id not in indexed)
    changed = sum(1 for a, f in want.items() if a in indexed and indexed[a] != f)
    removed = sum(1 for article_id in indexed if article_id not in want)
    return new, changed, removed
