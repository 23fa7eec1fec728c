"""A blueprint that serves its own files."""
