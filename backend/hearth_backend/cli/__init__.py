"""The `hearth` verbs: a client like any other, apart from `up`."""
