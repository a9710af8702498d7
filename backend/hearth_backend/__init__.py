"""The local agent backend, and the `hearth` command."""
