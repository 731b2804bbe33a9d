"""The QC report, sign-off and release: how people look at what a run left behind, and what they decide about it."""
