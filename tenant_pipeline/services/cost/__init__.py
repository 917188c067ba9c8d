"""What each tenant costs, its budget, and the alerts on the way there."""
