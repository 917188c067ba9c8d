"""The objects of an instance as exact data, a file per kind. Nothing here talks to a cluster."""
