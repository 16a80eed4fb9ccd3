"""The competing-outcomes model: how it is trained, sized and calibrated."""
