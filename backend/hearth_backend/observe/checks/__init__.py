"""What `hearth doctor` looks at; each check is performed, never assumed."""
