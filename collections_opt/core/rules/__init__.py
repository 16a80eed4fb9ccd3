"""Rules of contact as dated data: budgets, waits and flags, whom they bind and where."""
