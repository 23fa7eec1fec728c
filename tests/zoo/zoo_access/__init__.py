"""A view that declares no access."""
