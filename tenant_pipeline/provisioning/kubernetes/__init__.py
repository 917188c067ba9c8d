"""Instances in a Kubernetes cluster, one namespace each, by server-side apply."""
