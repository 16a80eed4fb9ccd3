"""Names and roles that callers claim, and how records and reports tell a claim from what was authenticated."""

import pytest

from collections_opt.core.actors import Actor, ActorRole, asked_by, claimed_actor, recorded_actor
from collections_opt.core.errors import CollectionsError


@pytest.mark.parametrize(
    ("name", "role", "field"),
    [
        ("a" * 129, "", "who"),
        ("ann\n", "", "who"),
        (" ann", "", "who"),
        ("\u00e4nn", "", "who"),
        ("ann", "BOSS", "which"),
        ("ann", "analyst", "which"),
    ],
)
def test_what_is_no_name_or_role_is_refused_at_its_field(name, role, field):
    with pytest.raises(CollectionsError) as caught:
        claimed_actor(name, role, "who", "which")
    assert caught.value.violations[0].field == field


@pytest.mark.parametrize("name", ["", "a" * 128, "ann lee@desk-7"])
@pytest.mark.parametrize("role", ["", *ActorRole])
def test_a_record_gives_back_who_asked(name, role):
    actor = claimed_actor(name, role, "who", "which", "billing")
    assert recorded_actor(actor.recorded()) == actor == Actor(name, role, "billing")
    vouched_for = Actor(name, role, "billing", "desk")
    assert recorded_actor(vouched_for.recorded()) == vouched_for


def test_a_record_of_before_holds_claims_alone():
    assert recorded_actor({"name": "ann", "role": "ANALYST"}) == Actor("ann", "ANALYST", "")


@pytest.mark.parametrize(
    ("actor", "sentence"),
    [
        (Actor(), "It was asked for by a caller who gave no name over no authenticated system."),
        (Actor("ann", "ANALYST"), "It was asked for by ann as ANALYST, as the caller claimed, over no authenticated system."),
        (
            Actor("ann", "ANALYST", "billing", "desk"),
            "It was asked for by ann as ANALYST, by a token of desk, through the system billing, "
            "authenticated by its certificate.",
        ),
        (
            Actor("", "PLATFORM", "billing"),
            "It was asked for by somebody unnamed as PLATFORM, as the caller claimed, through the system billing, "
            "authenticated by its certificate.",
        ),
    ],
)
def test_the_sentence_says_what_was_claimed_and_what_was_authenticated(actor, sentence):
    assert asked_by(actor) == sentence
