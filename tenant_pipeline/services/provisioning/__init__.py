"""Provisioning: a tenant's instance brought up step by step, each durable, resumed after a kill or taken back whole."""
