"""How the installation is: figures for a monitoring system, and whether it is ready for work."""
