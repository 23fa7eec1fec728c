"""A link behind a permission that nobody declares."""
