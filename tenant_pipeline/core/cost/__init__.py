"""What a tenant costs: figures that were measured, times prices that an operator sets."""
