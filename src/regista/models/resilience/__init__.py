"""What stands between a request and its provider when something fails: each file is a wrapper that is a provider.

From the outside in, each only where it is configured:

    deadline      by when the answer must be whole, whoever gives it
    continuation  a stream that broke is gone on with from what was said
    fallback      another model answers, as long as nothing was said
    hedge         a second model is asked when the first stays silent
    balance       one of several models, by how fast and how busy they are
    retry         the same again after a while
    breaker       a model that keeps failing is left alone
    limited       so many calls at once, the others wait in a queue that is fair among tenants
    silence       a silent stream is given up; stands inside of `models.metered`, so that its end is told as what it is

None of them knows applications, keys or traces.
"""
