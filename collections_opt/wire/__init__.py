"""Under the edges: messages of the contract to the core's values and back, errors included; for service and client alike."""
