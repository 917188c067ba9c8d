"""How the cluster is spoken to: requests that are sent again where that helps, and server-side apply."""
