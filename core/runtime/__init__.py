"""Everything that turns configuration and a snapshot of the addons into a running server."""
