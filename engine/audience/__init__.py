"""WHO: which customers each campaign's audience holds now, who entered since, and who left."""
