"""What every process tells of itself: log lines and spans, with whom and what they are about, and never a value."""
