"""The language server: Hearth inside an editor."""
