"""Takes too long to import."""
