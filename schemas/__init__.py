"""The records that cross a process or reach a user. They know nothing of Beam or numpy."""
