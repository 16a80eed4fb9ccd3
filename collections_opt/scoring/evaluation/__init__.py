"""Judge probabilities on rows that nothing was fitted on."""
