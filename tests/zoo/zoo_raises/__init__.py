"""An exception in a contribution hook."""
