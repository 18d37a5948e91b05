"""The pages of the reference, one module per page or family of pages.

Each module has a `pages()`: from the path below `docs/reference/` to the page's text.
"""
