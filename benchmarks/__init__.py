"""What the way of a record costs, as ratios taken in one run: ``make bench``."""
