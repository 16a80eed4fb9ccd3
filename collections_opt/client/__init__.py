"""Floor 3: a Python client of the gRPC contract: deadlines, retries and refusals as ``CollectionsError``. Knows no use case."""
