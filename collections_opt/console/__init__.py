"""Floor 4: pages for people who look rather than type. A client of the contract: any caller can have what a page shows."""
