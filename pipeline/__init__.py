"""The command line, the graph, the runners, and what happens before and after a run."""
