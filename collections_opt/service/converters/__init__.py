"""Messages of the contract to the core's values and back; no use case is called here."""
