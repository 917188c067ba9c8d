"""Links handed in as a source: fetched from public addresses only, politely, within limits, page after page."""
