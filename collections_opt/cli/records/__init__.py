"""Evidence: verified, made anew, exported, erased."""
