"""Model versions on disk: digests, text formats, MLflow."""
