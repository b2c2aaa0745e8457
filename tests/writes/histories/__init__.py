"""Random histories of writes on a sandbox and on SQLite, and what the sandbox may hold after each statement."""
