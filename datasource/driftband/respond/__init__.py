"""OUT: incidents to the tools people are paged by. The relay, one file a destination, and what decides who is told when."""
