"""Core's own resources: companies, products, prices and orders."""
