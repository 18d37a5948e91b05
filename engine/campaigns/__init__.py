"""WHAT WE PROMISE: campaign files, named segments and the catalogue, read and checked."""
