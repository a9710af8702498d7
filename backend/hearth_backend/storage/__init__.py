"""SQLite: one driver, one writer, numbered migrations."""
