"""The version of Regista, in a file that imports nothing."""

VERSION = "0.1.0"
