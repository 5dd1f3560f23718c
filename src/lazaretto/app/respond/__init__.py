"""An incident: who took a release, what was within its reach, and what to do in which order."""
