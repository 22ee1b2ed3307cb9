"""Several processes that serve one application on one address: a supervisor, and the workers it starts.

The supervisor takes connections and deals them out in turn, holds what is to be had once (counters, embedders,
figures of workers that are gone), starts a worker that dies again, and ends all of them politely. It serves nothing
itself and loads no application.
"""
