"""Intake: takes in what a tenant hands over, finds out what it is, and reads it into rows.

Everything here may be hostile: archives, links and documents are read within limits, and whatever a parser cannot
read becomes a reject of that object and never ends the source.
"""
