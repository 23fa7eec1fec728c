"""A template outside its own folder."""
