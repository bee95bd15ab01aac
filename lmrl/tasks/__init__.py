"""The tasks: each file holds one world, its texts, its scripted players and its reader of the reference's data."""
