"""The bundled shop: its files, its people, its week."""
