"""A plugin that cannot be created."""
