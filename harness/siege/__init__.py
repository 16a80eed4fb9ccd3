"""A siege: callers who want to stop a server or see what is not theirs, beside callers who want to be served."""
