"""What people are asked to judge, in which order, and how far they agree. Pure functions on nouns.

`queue` is what a queue asks, `worth` how much a vote on an answer is thought to tell, `topic` how new its question is,
`repeats` when somebody is asked the same again, `health` what the votes are worth. They know no store and no clock.
"""
