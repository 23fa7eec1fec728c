"""Approval of orders by people of the buying company."""
