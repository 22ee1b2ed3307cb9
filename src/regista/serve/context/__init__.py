"""Context construction: documents in, cited passages out. It does not know who asks or which model answers."""
