"""What is wrong with a body of audit events."""


class AuditError(ValueError):
    """A refused body. Its text names the event and the field, is for a person, and repeats no value of the body."""
