"""Test support for Tukku and for addons: the pytest plugin, throw-away databases, factories, guards."""
