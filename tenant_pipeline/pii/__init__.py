"""The PII gate: find personal data in Thai, English and Chinese, replace it, and judge the source.

Presidio does the finding with recognisers of our own (`recognisers/`, one subject a file). `screen` is the stage.
Nothing here opens a network connection, and no raw value leaves this package except inside its own frames.
"""
