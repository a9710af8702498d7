"""Model routing: local first, cloud by policy, a usage row per call."""
