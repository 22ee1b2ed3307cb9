"""The composition root: an application folder in, a running application out."""
