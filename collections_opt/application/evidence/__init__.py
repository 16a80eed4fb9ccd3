"""Evidence about recorded rankings: verified, made anew, proven outside the house."""
