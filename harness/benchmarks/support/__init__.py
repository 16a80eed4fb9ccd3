"""What every bench shares: cases in fresh processes, measurement by stage, tables with ratios, the written page."""
