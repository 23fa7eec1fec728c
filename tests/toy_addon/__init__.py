"""A small addon with one of each contribution, for tests of the platform."""
