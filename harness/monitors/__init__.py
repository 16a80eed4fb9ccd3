"""Are alarms as rare and as quick as they promise to be? Many simulated desks, month by month."""
