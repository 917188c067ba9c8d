"""The routes, a subject a file. Each works for one tenant, as the person that the caller's token names."""
