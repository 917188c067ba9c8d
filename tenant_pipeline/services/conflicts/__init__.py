"""The conflict matrix as a service: kept up source by source, read, drawn, and decided by people."""
