"""The metrics: each a ratio of two counts, with its definition in words a coach can check.

A ratio of counts pools honestly: a figure over several matches is the sum above divided by the sum
below, so a short match weighs little, and its interval can be had from the matches alone.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """A figure is `per` × sum of `numerator` / sum of `denominator` (columns of `player_match`, or `minutes`).

    `less` and `more` say in plain words what a low and a high figure mean. `better`: whether more is
    better; None where it is a matter of style. `share`: the numerator is part of the denominator.
    `volume`: the figure follows how much of the ball the team has, so it is no aim by itself.
    """

    name: str
    label: str
    unit: str
    definition: str
    numerator: str
    denominator: str
    per: float
    less: str
    more: str
    better: bool | None = True
    share: bool = False
    volume: bool = False
    decimals: int = 1


METRICS = (
    Metric(
        "progressive_passes",
        "Progressive passes",
        "per 100 passes",
        "Completed open-play passes that end at least 30 m nearer to the opponents' goal within the own half, "
        "15 m when they cross the halfway line, 10 m within the opponents' half, per 100 passes.",
        "passes_progressive",
        "passes",
        100,
        "fewer of his passes bring the ball clearly nearer to goal",
        "more of his passes bring the ball clearly nearer to goal",
        share=True,
    ),
    Metric(
        "final_third_passes",
        "Final-third passes",
        "per 100 passes",
        "Completed open-play passes from outside the final third into it, per 100 passes.",
        "passes_final_third",
        "passes",
        100,
        "fewer of his passes find the final third",
        "more of his passes find the final third",
        share=True,
    ),
    Metric(
        "pass_completion",
        "Pass completion",
        "% of passes",
        "Share of open-play passes, crosses included, that reach a team-mate.",
        "passes_completed",
        "passes",
        100,
        "fewer of his passes arrive",
        "more of his passes arrive",
        share=True,
    ),
    Metric(
        "forward_passes",
        "Forward-pass share",
        "% of passes",
        "Share of open-play passes that go further forward than sideways, completed or not.",
        "passes_forward",
        "passes",
        100,
        "he plays forward less often",
        "he plays forward more often",
        better=None,
        share=True,
    ),
    Metric(
        "long_passes",
        "Long-pass share",
        "% of passes",
        "Share of open-play passes of at least 30 m, completed or not.",
        "passes_long",
        "passes",
        100,
        "he passes long less often",
        "he passes long more often",
        better=None,
        share=True,
    ),
    Metric(
        "regains",
        "Regains",
        "per 100 opponent touches",
        "Touches that take the ball off the opponents in open play, with his team touching it next as well, "
        "per 100 touches by the opponents while he was on the pitch.",
        "regains",
        "opponent_touches",
        100,
        "he wins the ball back less often for what the opponents have of it",
        "he wins the ball back more often for what the opponents have of it",
        decimals=2,
    ),
    Metric(
        "interceptions",
        "Interceptions",
        "per 100 opponent touches",
        "Passes, touches and clearances tagged as interceptions, per 100 touches by the opponents while he was on "
        "the pitch.",
        "interceptions",
        "opponent_touches",
        100,
        "he cuts out fewer balls for what the opponents have of it",
        "he cuts out more balls for what the opponents have of it",
        decimals=2,
    ),
    Metric(
        "tackle_win",
        "Ground defensive duels won",
        "% of ground defensive duels",
        "Share of duels on the ground against an opponent with the ball that he wins.",
        "tackles_won",
        "tackles",
        100,
        "he wins fewer of his duels on the ground",
        "he wins more of his duels on the ground",
        share=True,
    ),
    Metric(
        "tackles_held",
        "Tackles held",
        "% of ground defensive duels",
        "Share of duels on the ground against an opponent with the ball that he does not lose: won or undecided.",
        "tackles_held",
        "tackles",
        100,
        "opponents get past him more often",
        "opponents get past him less often",
        share=True,
    ),
    Metric(
        "aerial_win",
        "Aerial duels won",
        "% of aerial duels",
        "Share of aerial duels that he wins.",
        "aerials_won",
        "aerials",
        100,
        "he wins fewer of his duels in the air",
        "he wins more of his duels in the air",
        share=True,
    ),
    Metric(
        "dribbles",
        "Dribble duels",
        "per 90 minutes",
        "Duels on the ground in which he has the ball, per 90 minutes.",
        "dribbles",
        "minutes",
        90,
        "he takes the ball into fewer duels",
        "he takes the ball into more duels",
        better=None,
    ),
    Metric(
        "dribble_win",
        "Dribble duels won",
        "% of dribble duels",
        "Share of duels on the ground with the ball that he wins.",
        "dribbles_won",
        "dribbles",
        100,
        "he keeps the ball in fewer of his duels",
        "he keeps the ball in more of his duels",
        share=True,
    ),
    Metric(
        "attacking_third_touches",
        "Attacking-third touch share",
        "% of touches",
        "Share of his touches that are in the attacking third.",
        "attacking_third_touches",
        "touches",
        100,
        "less of his play is near the opponents' goal",
        "more of his play is near the opponents' goal",
        better=None,
        share=True,
    ),
    Metric(
        "touches",
        "Touches",
        "per 90 minutes",
        "Passes, shots, set pieces, other touches, saves and duels with the ball, per 90 minutes.",
        "touches",
        "minutes",
        90,
        "he is on the ball less",
        "he is on the ball more",
        better=None,
        volume=True,
    ),
    Metric(
        "key_passes",
        "Key passes",
        "per 90 minutes",
        "Open-play passes tagged as a key pass or an assist, per 90 minutes.",
        "key_passes",
        "minutes",
        90,
        "he makes fewer chances",
        "he makes more chances",
        volume=True,
        decimals=2,
    ),
    Metric(
        "threat",
        "Expected threat",
        "goals per 90 minutes",
        "Rise in the chance of scoring (12 × 8 grid fitted to the season) from his completed passes and carries that "
        "raise it, per 90 minutes.",
        "threat",
        "minutes",
        0.09,
        "his passes and carries add less danger",
        "his passes and carries add more danger",
        volume=True,
        decimals=3,
    ),
    Metric(
        "shots",
        "Shots",
        "per 90 minutes",
        "Shots from open play, per 90 minutes.",
        "shots",
        "minutes",
        90,
        "he shoots less",
        "he shoots more",
        better=None,
        volume=True,
        decimals=2,
    ),
)

COLUMNS = tuple(dict.fromkeys(column for metric in METRICS for column in (metric.numerator, metric.denominator)))
"""The counts that metrics are made of, in the order they first occur."""
