"""Version 1 of the contract, generated from proto/collections_opt/api/v1."""
