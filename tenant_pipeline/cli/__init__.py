"""The command line `tenant-pipeline`: one file a command family, each a thin shell around a service."""
