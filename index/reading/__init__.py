"""Reads files into articles: one module for each kind of file, `files` to tell them apart."""
