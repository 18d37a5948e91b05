"""Aftersale, a back-end campaign engine."""
