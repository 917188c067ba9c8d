"""What an approval is, and when the approvals of an operation suffice. Decided from records alone."""
