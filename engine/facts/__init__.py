"""WHAT WE KNOW: the catalogue, who people are, and the import of what they did."""
