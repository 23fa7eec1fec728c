"""A manifest that is not TOML."""
