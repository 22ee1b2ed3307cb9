"""What users' words say of an answer, measured on labelled turns."""
