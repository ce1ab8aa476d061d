"""Values that every other room speaks in. They import nothing of ours."""
