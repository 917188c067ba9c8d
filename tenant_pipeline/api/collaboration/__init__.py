"""The shared document of each tenant's workspace: a CRDT that people edit at once, over WebSockets.

An edit is checked (`field_rights`), written to the database, and only then shown to the others (`room`).
"""
