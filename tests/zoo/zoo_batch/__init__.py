"""An exception in each kind of batch hook."""
