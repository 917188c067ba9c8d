"""What a tenant's knowledge base has to look like, in versions that never change."""
