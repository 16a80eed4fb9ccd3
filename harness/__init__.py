"""Programs that people run on the product: benches, faults, golden rankings, worlds of simulated lenders, ugly files."""
