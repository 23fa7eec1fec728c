"""The addon platform: what is installed, what runs, in which order, and what went wrong."""
