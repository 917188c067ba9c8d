"""The marketplace: read-only listings of live releases, under the contract's rules. No payments, no brokering."""
