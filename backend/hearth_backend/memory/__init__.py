"""Episodes, hybrid search, recall with sources, forgetting."""
