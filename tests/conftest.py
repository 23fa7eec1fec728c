"""Project-wide fixtures; those for databases and apps are in core.testing.plugin, which addons use too."""
