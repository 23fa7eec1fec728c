"""An entry class that is not there."""
