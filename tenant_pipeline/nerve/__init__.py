"""The Nerve instance of one tenant: a small service that reads its live release, and nothing else."""
