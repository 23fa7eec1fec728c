"""The `tukku` command."""
