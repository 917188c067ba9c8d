"""The Tenant Runtime: whatever a tenant has, turned into a trusted knowledge base that the tenant owns.

The folders tell the story. `contracts` holds what was agreed; `core` the nouns and rules, pure; `storage`,
`intake`, `pii` and `linking` one concern each; `services` the use cases; `assets`, `sensors`, `resources` and
`cli` are thin shells around them. Imports point from the shells inwards, never back.
"""
