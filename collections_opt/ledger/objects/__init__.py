"""Content-addressed objects, in a folder or a remote file system, and what is written in them."""
