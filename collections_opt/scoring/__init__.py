"""Floor 1: training, calibration, artifacts and the scorer of the competing-outcomes model."""
