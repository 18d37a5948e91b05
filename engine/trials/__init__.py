"""BEFORE IT HAPPENS: a shop to try things on, and a project to start from."""
