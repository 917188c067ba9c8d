"""Small exports and files of the kind that each origin hands in, written for this project."""
