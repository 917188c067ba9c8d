"""`python -m benchmarks.feed_week`."""

from benchmarks.feed_week.week import main

main()
