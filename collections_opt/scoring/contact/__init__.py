"""How often attempts reach the right party, learned and served."""
