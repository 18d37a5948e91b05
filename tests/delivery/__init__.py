"""Delivery: once, whatever happens."""
