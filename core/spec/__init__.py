"""The promise between core and addons: hook specifications, frozen value types and errors.

Imports nothing else of core, so that every layer and every addon may import it.
"""
