"""A hook without its marker."""
