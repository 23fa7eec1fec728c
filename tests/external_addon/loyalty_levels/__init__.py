"""Loyalty levels: a discount by what a company bought lately."""
