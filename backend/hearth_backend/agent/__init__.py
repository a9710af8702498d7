"""The loop, the context it sees, and the answer without a model."""
