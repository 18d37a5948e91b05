"""The verbs: one file each, wiring the rooms together. The command line only asks and prints."""
