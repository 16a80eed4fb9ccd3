"""What-ifs of capacity and of rules, for people and machines."""
